package infisical_test

import (
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

func TestNormalizeURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://app.infisical.com":            "https://app.infisical.com/api",
		"https://app.infisical.com/":           "https://app.infisical.com/api",
		"https://app.infisical.com/api":        "https://app.infisical.com/api",
		" https://app.infisical.com/api// ":    "https://app.infisical.com/api",
		"HTTPS://App.Infisical.COM:443/api/":   "https://app.infisical.com/api",
		"http://127.0.0.1:80":                  "http://127.0.0.1/api",
		"http://127.0.0.1:443":                 "http://127.0.0.1:443/api",
		"https://[::1]:8080":                   "https://[::1]:8080/api",
		"https://h/infisical":                  "https://h/infisical/api",
		"https://h/infisical/api/":             "https://h/infisical/api",
		"https://h/a%20b":                      "https://h/a%20b/api",
		"https://h:":                           "https://h/api",
		"":                                     "",
		"   ":                                  "",
		"app.infisical.com":                    "",
		"app.infisical.com:443":                "",
		"ftp://h":                              "",
		"https://":                             "",
		"https:///api":                         "",
		"https://h?x=1":                        "",
		"https://h?":                           "",
		"https://h#x":                          "",
		"https://user:canary@h":                "",
		"https://canary@h":                     "",
		"user:canary@h":                        "",
		"https://user:canary@h:notaport/":      "",
		"https://h\ncanary":                    "",
		"//user:canary@h":                      "",
		"https://app.infisical.com/api/%zz":    "",
		"postgres://user:canary@h:5432/secret": "",
	} {
		got, err := infisical.NormalizeURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("NormalizeURL(%q) = %q, %v; want %q", in, got, err, want)
		}
		if err != nil {
			wantCode(t, err, source.CodeConfigInvalid)
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats a password: %v", err)
			}
			continue
		}
		if again, _ := infisical.NormalizeURL(got); again != got {
			t.Errorf("NormalizeURL(%q) = %q, not the same again", got, again)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	for url, want := range map[string]source.Code{
		"http://localhost:8080":     "",
		"http://127.1.2.3":          "",
		"http://[::1]":              "",
		"https://infisical.example": "",
		"http://infisical.example":  source.CodeHTTPNotAllowed,
		"http://10.0.0.1":           source.CodeHTTPNotAllowed,
		"http://localhost.example":  source.CodeHTTPNotAllowed,
		"http://0.0.0.0":            source.CodeHTTPNotAllowed,
		"not a URL":                 source.CodeConfigInvalid,
	} {
		_, err := infisical.New(infisical.Config{URL: url})
		if got := source.CodeOf(err); got != want {
			t.Errorf("New(%q) has code %q, want %q", url, got, want)
		}
		if want != source.CodeHTTPNotAllowed {
			continue
		}
		if _, err := infisical.New(infisical.Config{URL: url, AllowHTTP: true}); err != nil {
			t.Errorf("New(%q) with AllowHTTP: %v", url, err)
		}
	}
}

func TestExtraHeaders(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{
		{"CF-Access-Client-Secret", "canary", true},
		{"X-Tab", "a\tb", true},
		{"Authorization", "canary", false},
		{"x-api-key", "canary", false},
		{"Content-Type", "canary", false},
		{"Accept-Encoding", "canary", false},
		{"Host", "canary", false},
		{"", "canary", false},
		{"a b", "canary", false},
		{"ä", "canary", false},
		{"X-A", "canary\r\nX-B: 1", false},
	} {
		_, err := infisical.New(infisical.Config{URL: "http://localhost", Headers: map[string]string{tt.name: tt.value}})
		if (err == nil) != tt.ok {
			t.Errorf("header %q: %q gives %v", tt.name, tt.value, err)
		}
		if err != nil {
			wantCode(t, err, source.CodeConfigInvalid)
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats the value: %v", err)
			}
		}
	}
	if _, err := infisical.New(infisical.Config{URL: "http://localhost", Organization: "a\nb"}); source.CodeOf(err) != source.CodeConfigInvalid {
		t.Errorf("organization with a line end: %v", err)
	}
}
