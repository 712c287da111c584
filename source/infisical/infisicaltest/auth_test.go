package infisicaltest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const loginPath = "/api/v1/auth/universal-auth/login"

func credentials(s *Server) map[string]any {
	id, secret := s.Credentials()
	return map[string]any{"clientId": id, "clientSecret": secret}
}

// What each profile says to tokens that are no good.
func TestTokens(t *testing.T) {
	type outcome struct {
		status  int
		message string // a part of it
	}
	tests := []struct {
		name   string
		spoil  func(s *Server, token string) string
		wants  map[Profile]outcome // "": all others
		second string              // a part of the message to the next request; "": the same
	}{
		{name: "garbage", spoil: func(*Server, string) string { return "garbage" },
			wants: map[Profile]outcome{"": {403, "malformed"}}},
		{name: "bad signature", spoil: func(_ *Server, token string) string { return token[:len(token)-4] + "AAAA" },
			wants: map[Profile]outcome{"": {403, "invalid signature"}}},
		{name: "expired", spoil: func(s *Server, token string) string { s.Advance(2 * time.Minute); return token },
			wants: map[Profile]outcome{
				"": {403, "has expired"}, Documented: {401, "has expired"},
				Legacy: {401, "due to TTL expiration"}, V42025: {401, "due to TTL expiration"},
			}},
		{name: "past its longest life", spoil: func(s *Server, token string) string { s.Advance(2 * time.Hour); return token },
			wants: map[Profile]outcome{"": {403, "has expired"}, Documented: {401, "has expired"}}},
		{name: "revoked", spoil: func(s *Server, token string) string { s.Revoke(DefaultClientID); return token },
			wants: map[Profile]outcome{
				"":     {401, "revoked"},
				Legacy: {401, "No identity access token found"}, V42025: {401, "No identity access token found"},
			}},
		{name: "used up", spoil: func(s *Server, token string) string {
			s.ChangeIdentity(DefaultClientID, func(i *Identity) { i.TokenUses = 1 })
			req, _ := http.NewRequest("GET", s.URL()+"/api/status", nil)
			req.Header.Set("Authorization", "Bearer "+token)
			roundTrip(req)
			return token
		}, wants: map[Profile]outcome{
			"":     {401, "usage limit reached"},
			Legacy: {401, "number of uses limit reached"}, V42025: {401, "number of uses limit reached"},
		}},
	}
	for _, tt := range tests {
		for _, profile := range Profiles() {
			t.Run(tt.name+"/"+string(profile), func(t *testing.T) {
				seed := DefaultSeed()
				seed.Identities[0].TTL, seed.Identities[0].MaxTTL = 60, 3600
				s := New(t, Options{Profile: profile, Seed: &seed})
				c := loggedIn(t, s)
				c.token = tt.spoil(s, c.token)
				want, ok := tt.wants[profile]
				if !ok {
					want = tt.wants[""]
				}
				// The check is the same on a route that needs no token.
				for _, path := range []string{"/api/v1/workspace", "/api/status"} {
					got := c.do("GET", path, nil)
					if got.status != want.status || !strings.Contains(got.message(), want.message) {
						// Where tokens have rows, the first refusal removes the row.
						if path == "/api/status" && got.status == 401 && got.message() == "No identity access token found" {
							continue
						}
						t.Errorf("GET %s: %d %q, want %d %q", path, got.status, got.message(), want.status, want.message)
					}
				}
			})
		}
	}
}

func TestNoTokenAndWrongKinds(t *testing.T) {
	s := New(t, Options{Seed: &Seed{
		Projects:      DefaultSeed().Projects,
		Identities:    DefaultSeed().Identities,
		ServiceTokens: []ServiceToken{{Token: "st.one.two", Environment: "dev"}},
	}})
	must(t, s.Set(devRoot, "A", "1"))
	c := &client{t: t, s: s}
	if got := c.do("GET", "/api/v4/secrets"+v4(""), nil); got.status != 401 || got.message() != "Token missing" {
		t.Errorf("without a token: %d %q", got.status, got.message())
	}
	c.extra = http.Header{"X-Api-Key": {"x"}}
	if got := c.do("GET", "/api/status", nil); got.status != 400 {
		t.Errorf("with an API key: %d, want 400", got.status)
	}
	// The fourth part of a service token is not for the server.
	c = &client{t: t, s: s, token: "st.one.two.key"}
	if got := c.do("GET", "/api/v4/secrets", nil); got.values()["A"] != "1" {
		t.Errorf("a service token lists its own scope: %d %s", got.status, got.text)
	}
	if got := c.do("POST", "/api/v4/secrets/B", body("secretValue", "2")); got.status != 403 {
		t.Errorf("a service token that only reads creates: %d, want 403", got.status)
	}
	if got := c.do("GET", "/api/v1/projects", nil); got.status != 403 || got.json["error"] != "Forbidden access to /api/v1/projects" {
		t.Errorf("a service token lists projects: %d %v", got.status, got.json)
	}
	c.token = "st.other.two"
	if got := c.do("GET", "/api/v4/secrets", nil); got.status != 404 {
		t.Errorf("an unknown service token: %d, want 404", got.status)
	}
}

func TestLockout(t *testing.T) {
	s := New(t, Options{})
	c := &client{t: t, s: s}
	good := credentials(s)
	wrong := map[string]any{"clientId": good["clientId"], "clientSecret": "wrong"}
	login := func(with map[string]any, wantStatus int, want string) {
		t.Helper()
		if got := c.do("POST", loginPath, with); got.status != wantStatus || !strings.Contains(got.message(), want) {
			t.Errorf("login: %d %q, want %d %q", got.status, got.message(), wantStatus, want)
		}
	}
	const invalid, locked = "Invalid credentials", "temporarily locked"
	// Two failures, a pause, two more: never three within 30 s.
	login(wrong, 401, invalid)
	login(wrong, 401, invalid)
	s.Advance(31 * time.Second)
	login(wrong, 401, invalid)
	login(wrong, 401, invalid)
	// A right login clears the count.
	login(good, 200, "")
	login(wrong, 401, invalid)
	login(wrong, 401, invalid)
	login(wrong, 401, invalid)
	login(good, 401, locked)
	login(map[string]any{"clientId": "another", "clientSecret": "x"}, 401, invalid)
	s.Advance(299 * time.Second)
	login(good, 401, locked)
	s.Advance(2 * time.Second)
	login(good, 200, "")

	must(t, s.Lock(DefaultClientID))
	login(good, 401, locked)
	must(t, s.Unlock(DefaultClientID))
	login(good, 200, "")
}

func TestSecretUsesAndRotation(t *testing.T) {
	seed := DefaultSeed()
	seed.Identities[0].SecretUses = 1
	s := New(t, Options{Seed: &seed})
	c := &client{t: t, s: s}
	if got := c.do("POST", loginPath, credentials(s)); got.status != 200 {
		t.Fatalf("first login: %d", got.status)
	}
	if got := c.do("POST", loginPath, credentials(s)); got.status != 401 || !strings.HasPrefix(got.message(), "Access denied due to") {
		t.Errorf("second login: %d %q", got.status, got.message())
	}
	old := credentials(s)
	must(t, s.ChangeIdentity(DefaultClientID, func(i *Identity) { i.ClientSecret, i.SecretUses = "new", 0 }))
	if got := c.do("POST", loginPath, old); got.status != 401 {
		t.Errorf("login with the rotated secret: %d, want 401", got.status)
	}
	if got := c.do("POST", loginPath, credentials(s)); got.status != 200 {
		t.Errorf("login with the new secret: %d, want 200", got.status)
	}
}

func TestReportedLife(t *testing.T) {
	for _, tt := range []struct {
		ttl, maxTTL     int
		wantTTL, wantMx float64
	}{
		{0, 0, defaultTTL, defaultTTL},
		{60, 3600, 60, 3600},
		{-1, 3600, 0, 3600},
	} {
		seed := DefaultSeed()
		seed.Identities[0].TTL, seed.Identities[0].MaxTTL = tt.ttl, tt.maxTTL
		s := New(t, Options{Seed: &seed})
		got := (&client{t: t, s: s}).do("POST", loginPath, credentials(s))
		if got.json["expiresIn"] != tt.wantTTL || got.json["accessTokenMaxTTL"] != tt.wantMx || got.json["tokenType"] != "Bearer" {
			t.Errorf("TTL %d, max %d: %v", tt.ttl, tt.maxTTL, got.json)
		}
	}
}

func TestRenewAndRevoke(t *testing.T) {
	for _, profile := range Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			seed := DefaultSeed()
			seed.Identities[0].TTL, seed.Identities[0].MaxTTL = 60, 100
			s := New(t, Options{Profile: profile, Seed: &seed})
			c := loggedIn(t, s)
			bare := &client{t: t, s: s}
			s.Advance(30 * time.Second)
			got := bare.do("POST", "/api/v1/auth/token/renew", map[string]any{"accessToken": c.token})
			if got.status != 200 {
				t.Fatalf("renew: %d %s", got.status, got.text)
			}
			renewed := &client{t: t, s: s, token: got.json["accessToken"].(string)}
			s.Advance(50 * time.Second) // 80 s after the login
			if got := renewed.do("GET", "/api/v1/workspace/"+DefaultProjectID, nil); got.status != 200 {
				t.Errorf("the renewed token after the first one's life: %d %s", got.status, got.text)
			}
			s.Advance(25 * time.Second) // 105 s after the login: past the budget
			if got := renewed.do("GET", "/api/status", nil); got.status != 401 && got.status != 403 {
				t.Errorf("the renewed token past the budget: %d", got.status)
			}

			fresh := loggedIn(t, s)
			if got := bare.do("POST", "/api/v1/auth/token/revoke", map[string]any{"accessToken": fresh.token}); got.status != 200 {
				t.Errorf("revoke: %d %s", got.status, got.text)
			}
			if got := fresh.do("GET", "/api/status", nil); got.status != 401 {
				t.Errorf("with a revoked token: %d, want 401", got.status)
			}
		})
	}
}

func TestOtherLogins(t *testing.T) {
	seed := DefaultSeed()
	seed.Identities[0].Logins = map[string]map[string]string{"kubernetes-auth": {"jwt": "proof"}}
	s := New(t, Options{Seed: &seed})
	c := &client{t: t, s: s}
	for _, tt := range []struct {
		method string
		body   map[string]any
		want   int
	}{
		{"kubernetes-auth", map[string]any{"identityId": DefaultClientID, "jwt": "proof"}, 200},
		{"kubernetes-auth", map[string]any{"identityId": DefaultClientID, "jwt": "other"}, 401},
		{"kubernetes-auth", map[string]any{"identityId": DefaultClientID}, 422},
		{"kubernetes-auth", map[string]any{"identityId": "nobody", "jwt": "proof"}, 404},
		{"oidc-auth", map[string]any{"identityId": DefaultClientID, "jwt": "proof"}, 404},
	} {
		if got := c.do("POST", "/api/v1/auth/"+tt.method+"/login", tt.body); got.status != tt.want {
			t.Errorf("%s %v: %d %s, want %d", tt.method, tt.body, got.status, got.text, tt.want)
		}
	}
}
