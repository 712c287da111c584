package infisical_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
)

var identityMethods = []string{infisical.KubernetesAuth, infisical.OIDCAuth, infisical.JWTAuth}

// Each method posts the identity's id and the JWT, as it is at that moment, to the
// route of its name.
func TestIdentityLoginSends(t *testing.T) {
	for _, method := range identityMethods {
		t.Run(method, func(t *testing.T) {
			var header http.Header
			var body []byte
			route := "POST /api/v1/auth/" + method + "/login"
			s := newServer(t, map[string]http.HandlerFunc{route: func(w http.ResponseWriter, r *http.Request) {
				header = r.Header
				body, _ = io.ReadAll(r.Body)
				writeJSON(w, 200, loginBody("t"))
			}})
			reads := 0
			auth := infisical.IdentityAuth{Route: method, ID: "identity-1", JWT: func() (source.Value, error) {
				reads++
				return source.NewValue(fmt.Sprintf("a.b.%d\n", reads)), nil
			}}
			if auth.Method() != method || auth.Identity() != "identity-1" {
				t.Errorf("method %q, identity %q", auth.Method(), auth.Identity())
			}
			client := newClient(t, s.URL, func(c *infisical.Config) { c.Organization, c.Login = "sub", auth })
			for n := range 2 {
				login(t, client)
				if want := fmt.Sprintf(`{"identityId":"identity-1","jwt":"a.b.%d","organizationSlug":"sub"}`, n+1); string(body) != want {
					t.Errorf("body %s, want %s", body, want)
				}
			}
			if got := header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
			if got := header.Get("Authorization"); got != "" {
				t.Errorf("authorization %q", got)
			}
			if len(s.requests) != 2 {
				t.Errorf("requests %v, want two to %s", s.requests, route)
			}
		})
	}
}

// The emulator accepts each method's proof, lists with the token it gives, and
// refuses another proof, another identity and another method.
func TestIdentityLoginAtTheEmulator(t *testing.T) {
	for _, method := range identityMethods {
		t.Run(method, func(t *testing.T) {
			seed := infisicaltest.DefaultSeed()
			seed.Identities[0].Logins = map[string]map[string]string{method: {"jwt": "good.proof.1"}}
			server := infisicaltest.New(t, infisicaltest.Options{Seed: &seed})
			at := source.Place{Project: server.Project(), Environment: "dev", Path: "/"}
			if err := server.Set(at, "A", "1"); err != nil {
				t.Fatal(err)
			}
			try := func(route, id, jwt string) (*infisical.Session, error) {
				auth := infisical.IdentityAuth{Route: route, ID: id, JWT: secretOf(jwt)}
				return newClient(t, server.URL(), func(c *infisical.Config) { c.Login = auth }).Login(t.Context())
			}
			session, err := try(method, infisicaltest.DefaultClientID, "good.proof.1")
			if err != nil {
				t.Fatal(err)
			}
			answer, err := session.List(t.Context(), infisical.Query{Place: at})
			if err != nil || len(answer.Listing.Own) != 1 {
				t.Errorf("listed %v, %v", answer.Listing, err)
			}
			_, err = try(method, infisicaltest.DefaultClientID, "other.proof.1")
			wantCode(t, err, source.CodeLoginRefused)
			_, err = try(method, "somebody-else", "good.proof.1")
			wantCode(t, err, source.CodeLoginRefused)
			_, err = try("spiffe-auth", infisicaltest.DefaultClientID, "good.proof.1")
			wantCode(t, err, source.CodeNotTheAPI)
		})
	}
}

func TestIdentityLoginNeedsCredentials(t *testing.T) {
	s := newServer(t, nil)
	for name, tt := range map[string]struct {
		auth infisical.IdentityAuth
		want source.Code
	}{
		"no JWT":      {infisical.IdentityAuth{ID: "id"}, source.CodePartMissing},
		"empty JWT":   {infisical.IdentityAuth{ID: "id", JWT: secretOf("\n")}, source.CodePartMissing},
		"no identity": {infisical.IdentityAuth{JWT: secretOf("a.b.c")}, source.CodePartMissing},
		"two lines":   {infisical.IdentityAuth{ID: "id", JWT: secretOf("a.b\n.c")}, source.CodeConfigInvalid},
	} {
		tt.auth.Route = infisical.JWTAuth
		_, err := newClient(t, s.URL, func(c *infisical.Config) { c.Login = tt.auth }).Login(t.Context())
		if source.CodeOf(err) != tt.want {
			t.Errorf("%s: code %s, want %s", name, source.CodeOf(err), tt.want)
		}
	}
	if n := len(s.requests); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// A refusal says when the JWT ended, and never what it was.
func TestIdentityLoginRefused(t *testing.T) {
	ended := jwt(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(-time.Hour).Unix()))
	good := jwt(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()))
	for _, tt := range []struct {
		jwt   string
		ended bool
	}{{ended, true}, {good, false}, {jwt(`{}`), false}, {"no-token-at-all", false}} {
		route := "POST /api/v1/auth/" + infisical.OIDCAuth + "/login"
		s := newServer(t, map[string]http.HandlerFunc{route: refuse(401, "UnauthorizedError", "Access denied: "+tt.jwt)})
		_, err := newClient(t, s.URL, func(c *infisical.Config) {
			c.Login = infisical.IdentityAuth{Route: infisical.OIDCAuth, ID: "id", JWT: secretOf(tt.jwt)}
		}).Login(t.Context())
		wantCode(t, err, source.CodeLoginRefused)
		wantText(t, err, "Access denied: [redacted]")
		if strings.Contains(err.Error(), tt.jwt) || strings.Contains(err.Error(), "the JWT expired 1h0m") != tt.ended {
			t.Errorf("error %q, ended %v", err, tt.ended)
		}
	}
}
