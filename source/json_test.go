package source_test

import (
	"encoding/json"
	"testing"
	"time"

	"infisync/source"
)

var jsonTexts = []string{"", "plain", `quote " and \`, "<&>", "line\n\ttab", "é \u2028", "\x00\x7f", "\xff", `\u0041`}

func TestAppendJSON(t *testing.T) {
	for _, text := range jsonTexts {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := source.AppendJSON([]byte("x"), text); string(got) != "x"+string(want) {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

// What the reader takes for a string, a number or a time, the library takes for the same.
func TestJSONReader(t *testing.T) {
	for _, text := range jsonTexts {
		quoted := source.AppendJSON(nil, text)
		r := source.JSONReader{Rest: append([]byte(" \n"), quoted...)}
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil {
			t.Fatal(err)
		}
		if got := r.Text(); got != want || !r.Done() {
			t.Errorf("%s is %q, %t, want %q", quoted, got, r.Done(), want)
		}
	}
	for text, ok := range map[string]bool{
		`{"a":-12,"b":true,"c":false,"d":"2026-01-02T03:04:05.6Z"}`:                   true,
		"{ \n \"a\": -12,\n\"b\": true,\"c\":false,\"d\":\"2026-01-02T03:04:05.6Z\"}": true,
		`{"a":-12,"b":true,"c":false,"d":"2026-01-02T03:04:05.60Z"}`:                  false,
		`{"a":-12,"b":true,"c":false,"d":"2026-01-02T03:04:05.6+00:00"}`:              false,
		`{"a":-12,"b":true,"c":false,"d":"2026-01-02T03:04:05.6Z"}x`:                  false,
		`{"a":-12,"b":true,"c":0,"d":"2026-01-02T03:04:05.6Z"}`:                       false,
		`{"a":-012,"b":true,"c":false,"d":"2026-01-02T03:04:05.6Z"}`:                  false,
		`{"a":1e3,"b":true,"c":false,"d":"2026-01-02T03:04:05.6Z"}`:                   false,
		`{"a":99999999999999999999,"b":true,"c":false,"d":"2026-01-02T03:04:05.6Z"}`:  false,
		`{"a":-12,"b":true,"c":false,"d":"2026`:                                       false,
		`{"a":-12,"b":true,"c":false,"d":"2026\`:                                      false,
		`{"a"`:                                                                        false,
		``:                                                                            false,
	} {
		r := source.JSONReader{Rest: []byte(text)}
		r.Skip(`{`)
		r.Skip(`"a":`)
		a := r.Int()
		r.Skip(`,`)
		r.Skip(`"b":`)
		b := r.Bool()
		r.Skip(`,`)
		r.Skip(`"c":`)
		c := r.Bool()
		r.Skip(`,`)
		r.Skip(`"d":`)
		d := r.Time()
		r.Skip(`}`)
		if r.Done() != ok {
			t.Errorf("read %s: %t", text, r.Done())
		}
		if ok && (a != -12 || !b || c || !d.Equal(time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC))) {
			t.Errorf("%s is %d, %t, %t, %v", text, a, b, c, d)
		}
	}
	r := source.JSONReader{Rest: []byte("1")}
	r.Fail()
	if r.Try("1") || r.OK() || r.Int() != 0 || r.Text() != "" || !r.Time().IsZero() {
		t.Error("something is read after a failure")
	}
}
