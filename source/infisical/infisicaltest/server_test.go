package infisicaltest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The life of a value, as a client of each profile sees it.
func TestReadAndWriteInEachProfile(t *testing.T) {
	for _, profile := range Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			s := New(t, Options{Profile: profile})
			c := &client{t: t, s: s}
			id, secret := s.Credentials()
			login := c.do("POST", "/api/v1/auth/universal-auth/login", map[string]any{"clientId": id, "clientSecret": secret})
			if login.status != http.StatusOK {
				t.Fatalf("login: %d %s", login.status, login.text)
			}
			c.token = login.json["accessToken"].(string)

			base, project := "/api/v4/secrets", "projectId"
			if profile == Legacy {
				base, project = "/api/v3/secrets/raw", "workspaceId"
			}
			in := map[string]any{project: DefaultProjectID, "environment": "dev", "secretPath": "/"}
			with := func(name, value string) map[string]any {
				out := map[string]any{name: value}
				for k, v := range in {
					out[k] = v
				}
				return out
			}
			want := http.StatusOK
			if profile == Documented {
				want = http.StatusCreated
			}
			if got := c.do("POST", base+"/A", with("secretValue", " 1 ")); got.status != want {
				t.Errorf("create: %d %s", got.status, got.text)
			}
			query := "?" + project + "=" + DefaultProjectID + "&environment=dev&secretPath=/"
			if got := c.do("GET", base+query, nil); got.values()["A"] != "1" {
				t.Errorf("list after create: %d %s", got.status, got.text)
			}
			if got := c.do("PATCH", base+"/A", with("secretValue", "2")); got.status != http.StatusOK {
				t.Errorf("update: %d %s", got.status, got.text)
			}
			if got, _ := s.Get(devRoot, "A"); got.Value != "2" || got.Version != 2 {
				t.Errorf("after update the server holds %+v", got)
			}
			if got := c.do("GET", base+"/A"+query, nil); got.status != http.StatusOK || got.json["secret"].(map[string]any)["secretValue"] != "2" {
				t.Errorf("get: %d %s", got.status, got.text)
			}
			if got := c.do("DELETE", base+"/A", in); got.status != http.StatusOK {
				t.Errorf("delete: %d %s", got.status, got.text)
			}
			if got := c.do("GET", base+"/A"+query, nil); got.status != http.StatusNotFound {
				t.Errorf("get after delete: %d %s", got.status, got.text)
			}
		})
	}
}

func TestDownAndUp(t *testing.T) {
	s := New(t, Options{})
	must(t, s.Set(devRoot, "A", "1"))
	c := loggedIn(t, s)
	must(t, s.Down())
	if _, err := c.send("GET", "/api/status", nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while it is down: %v, want a refused connection", err)
	}
	must(t, s.Up())
	if got := c.do("GET", "/api/v4/secrets"+v4(""), nil); got.values()["A"] != "1" {
		t.Errorf("after it is up again: %d %s", got.status, got.text)
	}
}

func TestTLS(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  Options
		trust bool
		want  string // a part of the error; "": none
	}{
		{"trusted", Options{}, true, ""},
		{"not trusted", Options{}, false, "unknown authority"},
		{"another host", Options{CertHosts: []string{"example.test"}}, true, "doesn't contain any IP SANs"},
		{"expired", Options{CertExpiresAt: time.Now().Add(-time.Hour)}, true, "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.TLS = true
			s := New(t, tt.opts)
			pool := x509.NewCertPool()
			if tt.trust && !pool.AppendCertsFromPEM(s.CA()) {
				t.Fatal("the CA is not a certificate")
			}
			client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
			resp, err := client.Get(s.URL() + "/api/status")
			if err == nil {
				resp.Body.Close()
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestResetOverTLS(t *testing.T) {
	s := New(t, Options{TLS: true})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	s.Fault(Fault{Do: FaultReset})
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if _, err := client.Get(s.URL() + "/api/status"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a reset connection", err)
	}
}

func TestCountsAndRequests(t *testing.T) {
	var lines bytes.Buffer
	s := New(t, Options{Log: &lines})
	c := loggedIn(t, s)
	c.extra = http.Header{"User-Agent": {"test"}}
	c.do("GET", "/api/v4/secrets"+v4(""), nil)
	c.do("GET", "/nope", nil)
	if got, want := s.Counts(), map[Kind]int{KindList: 1, KindUnknown: 1, KindAny: 2}; len(got) != 3 || got[KindList] != want[KindList] || got[KindAny] != want[KindAny] {
		t.Errorf("counts %v, want %v", got, want)
	}
	requests := s.Requests()
	if len(requests) != 2 || requests[0].Kind != KindList || requests[0].Status != 200 || requests[0].Query != v4("")[1:] ||
		requests[0].Header.Get("User-Agent") != "test" {
		t.Errorf("requests %+v", requests)
	}
	if got, want := lines.String(), "200 GET /api/v4/secrets\n200 GET /nope\n"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := s.Wait(ctx, KindLogin, 1); err == nil || err.Error() != "waiting for 1 login requests: 0 answered: enough" {
		t.Errorf("Wait = %v", err)
	}
	s.ResetCounts()
	if len(s.Counts()) != 0 || len(s.Requests()) != 0 {
		t.Errorf("after ResetCounts: %v %v", s.Counts(), s.Requests())
	}
}

func TestConnections(t *testing.T) {
	s := New(t, Options{})
	c := &client{t: t, s: s}
	for range 2 { // each on a connection of its own
		c.do("GET", "/api/status", nil)
	}
	if got := s.Connections(); got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
	s.ResetCounts()
	var keeping http.Transport
	defer keeping.CloseIdleConnections()
	for range 2 {
		resp, err := (&http.Client{Transport: &keeping}).Get(s.URL() + "/api/status")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if got := s.Connections(); got != 1 {
		t.Errorf("%d connections after the reset, want 1", got)
	}
}

func TestStartErrors(t *testing.T) {
	busy := New(t, Options{})
	for _, tt := range []struct {
		opts Options
		want string
	}{
		{Options{Profile: "x"}, `profile "x" is none of`},
		{Options{Listen: busy.Host()}, "address already in use"},
		{Options{Seed: &Seed{Identities: []Identity{{Name: "x"}}}}, `identity "x" has no client id`},
		{Options{Seed: &Seed{Folders: []Folder{{Environment: "dev"}}}}, `no project ""`},
		{Options{Seed: &Seed{Projects: DefaultSeed().Projects, Folders: []Folder{{Environment: "x"}}}}, `no environment "x" in project "demo"`},
		{Options{Seed: &Seed{Projects: DefaultSeed().Projects, Folders: []Folder{{Environment: "dev", Imports: []Import{{Environment: "x"}}}}}}, `no environment "x"`},
	} {
		s, err := Start(tt.opts)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Start = %v, want an error with %q", err, tt.want)
		}
	}
	if _, err := ReadSeed(strings.NewReader(`{"project":[]}`)); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("ReadSeed of an unknown key = %v", err)
	}
}
