package infisical_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

// Nothing that was sent to https goes on to http, whoever asks for it: neither a login
// nor a token.
func TestRedirectFromHTTPSToHTTP(t *testing.T) {
	plain := newServer(t, nil)
	ca := newAuthority(t)
	cert, key := ca.issue(t, nil)
	for _, redirected := range []string{loginRoute, listRoute} {
		s := secure(t, cert, key, nil)
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method+" "+r.URL.Path == redirected {
				http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusTemporaryRedirect)
				return
			}
			writeJSON(w, 200, loginBody("t"))
		})
		client := newClient(t, s.URL, func(c *infisical.Config) { c.CAFile = ca.file })
		session, err := client.Login(t.Context())
		if err == nil {
			_, err = session.List(t.Context(), infisical.Query{Place: place})
		}
		wantCode(t, err, source.CodeRedirect)
		wantText(t, err, `"`+plain.URL+`"`)
	}
	if len(plain.requests) != 0 {
		t.Errorf("the plain server was asked for %q", plain.requests)
	}
}

// A server's headers are read up to 256 KiB.
func TestHeadersTooLong(t *testing.T) {
	const limit = 256 << 10
	for size, want := range map[int]source.Code{limit / 2: "", limit + 1: source.CodeUnreachable} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", size))
			writeJSON(w, 200, loginBody("t"))
		}))
		defer s.Close()
		_, err := newClient(t, s.URL).Login(t.Context())
		wantCode(t, err, want)
	}
}
