package infisical_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// tokens hands out one token after another and accepts those that good says.
type tokens struct {
	mu     sync.Mutex
	logins int
	good   func(token string) bool
	refuse http.HandlerFunc
}

func (s *tokens) start(t *testing.T) *server {
	return newServer(t, map[string]http.HandlerFunc{
		loginRoute: func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logins++
			writeJSON(w, 200, loginBody(fmt.Sprint("token-", s.logins)))
		},
		listRoute: func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			good := s.good(r.Header.Get("Authorization")[len("Bearer "):])
			s.mu.Unlock()
			if !good {
				s.refuse(w, r)
				return
			}
			writeJSON(w, 200, `{"secrets":[]}`)
		},
	})
}

func (s *tokens) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

var (
	revoked = refuse(401, "UnauthorizedError", "No identity access token found")
	expired = refuse(403, "TokenError", "Your token has expired. Please re-authenticate.")
)

func TestSessionLogsInAgain(t *testing.T) {
	for name, refusal := range map[string]http.HandlerFunc{"revoked": revoked, "expired": expired} {
		t.Run(name, func(t *testing.T) {
			uses := make(map[string]int)
			// Every token is good for two requests.
			s := &tokens{refuse: refusal, good: func(token string) bool { uses[token]++; return uses[token] <= 2 }}
			session := login(t, newClient(t, s.start(t).URL))
			for range 6 {
				if _, err := session.List(t.Context(), infisical.Query{Place: place}); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.count(); n != 3 {
				t.Errorf("%d logins, want 3", n)
			}
		})
	}
}

// A new token that is refused, too, is the end: logging in for ever helps nobody.
func TestSessionGivesUp(t *testing.T) {
	s := &tokens{refuse: revoked, good: func(string) bool { return false }}
	session := login(t, newClient(t, s.start(t).URL))
	for range 3 {
		_, err := session.List(t.Context(), infisical.Query{Place: place})
		wantCode(t, err, source.CodeTokenRefused)
		wantText(t, err, "No identity access token found")
	}
	if n := s.count(); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// Many requests that find the token refused at the same time share one login.
func TestSessionSharesTheLogin(t *testing.T) {
	s := &tokens{refuse: revoked, good: func(token string) bool { return token != "token-1" }}
	session := login(t, newClient(t, s.start(t).URL))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := session.List(t.Context(), infisical.Query{Place: place}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.count(); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// What refuses the role, not the token, is no reason to log in.
func TestSessionKeepsAGoodToken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"role":       refuse(403, "PermissionDenied", "x"),
		"validation": refuse(401, "ValidationFailure", "x"),
		"page":       html(401),
	} {
		s := newServer(t, map[string]http.HandlerFunc{listRoute: answer})
		_, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place})
		if n := s.count(loginRoute); err == nil || n != 1 {
			t.Errorf("%s: %d logins, error %v", name, n, err)
		}
	}
}

// The login that replaces a token can fail as any other.
func TestSessionLoginFails(t *testing.T) {
	for want, refusal := range map[source.Code]http.HandlerFunc{
		source.CodeLoginRefused:   refuse(401, "UnauthorizedError", "Invalid credentials"),
		source.CodeIdentityLocked: refuse(401, "UnauthorizedError", "This identity auth method is temporarily locked"),
		source.CodeNotTheAPI:      html(200),
	} {
		s := newServer(t, map[string]http.HandlerFunc{listRoute: revoked})
		session := login(t, newClient(t, s.URL))
		s.mu.Lock()
		s.routes[loginRoute] = refusal
		s.mu.Unlock()
		_, err := session.List(t.Context(), infisical.Query{Place: place})
		wantCode(t, err, want)
		if n := s.count(loginRoute); n != 2 {
			t.Errorf("%s: %d logins, want 2", want, n)
		}
	}
}

func TestLogin(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    source.Code
	}{
		"good":         {answer(201, loginBody("t")), ""},
		"wrong secret": {refuse(401, "UnauthorizedError", "Invalid credentials"), source.CodeLoginRefused},
		"unknown id":   {refuse(404, "NotFound", "No identity with specified client ID"), source.CodeLoginRefused},
		"foreign IP":   {refuse(403, "ForbiddenError", "You are not allowed to access this resource from the current IP"), source.CodeLoginRefused},
		"locked":       {refuse(401, "UnauthorizedError", "This identity auth method is temporarily locked, please try again later"), source.CodeIdentityLocked},
		"missing":      {refuse(422, "ValidationFailure", "x"), source.CodeRequestRefused},
		"busy":         {refuse(429, "RateLimitError", "Failed to acquire lock"), source.CodeRateLimited},
		"wrong URL":    {noRoute, source.CodeNotTheAPI},
		"page":         {html(200), source.CodeNotTheAPI},
		"no token":     {answer(200, `{"expiresIn":1}`), source.CodeNoAccessToken},
		"empty token":  {answer(200, `{"accessToken":" "}`), source.CodeNoAccessToken},
		"null token":   {answer(200, `{"accessToken":null}`), source.CodeNoAccessToken},
		"broken token": {answer(200, `{"accessToken":"a\nb"}`), source.CodeNoAccessToken},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{loginRoute: tt.handler})
			_, err := newClient(t, s.URL).Login(t.Context())
			wantCode(t, err, tt.want)
			if strings.HasSuffix(name, " token") != errors.Is(err, infisical.ErrNoAccessToken) {
				t.Errorf("errors.Is(%v, ErrNoAccessToken) is wrong", err)
			}
			if n := s.count(loginRoute); tt.want == source.CodeLoginRefused && n != 1 {
				t.Errorf("a refused login was tried %d times", n)
			}
		})
	}
}

func TestLoginSends(t *testing.T) {
	var header http.Header
	var body []byte
	s := newServer(t, map[string]http.HandlerFunc{loginRoute: func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		writeJSON(w, 200, loginBody("t"))
	}})
	reads := 0
	client := newClient(t, s.URL, func(c *infisical.Config) {
		c.Organization = "sub"
		c.UserAgent = "infisync/1"
		c.Headers = map[string]string{"CF-Access-Client-Id": "cf"}
		c.Login = infisical.UniversalAuth{ClientID: "id", Secret: func() (source.Value, error) {
			reads++
			return source.NewValue(fmt.Sprintf(" s%d\n", reads)), nil
		}}
	})
	for want := range 2 {
		login(t, client)
		if got, want := string(body), fmt.Sprintf(`{"clientId":"id","clientSecret":"s%d","organizationSlug":"sub"}`, want+1); got != want {
			t.Errorf("body %s, want %s", got, want)
		}
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "X-Infisical-Org": "sub",
		"User-Agent": "infisync/1", "Cf-Access-Client-Id": "cf", "Authorization": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLoginNeedsCredentials(t *testing.T) {
	s := newServer(t, nil)
	coded := source.Errorf(source.CodeUsage, "from the settings")
	for name, tt := range map[string]struct {
		login infisical.Login
		want  source.Code
	}{
		"none":         {nil, source.CodePartMissing},
		"no secret":    {infisical.UniversalAuth{ClientID: "id"}, source.CodePartMissing},
		"empty secret": {infisical.UniversalAuth{ClientID: "id", Secret: secretOf(" \n")}, source.CodePartMissing},
		"no id":        {infisical.UniversalAuth{Secret: secretOf("s")}, source.CodePartMissing},
		"two lines":    {infisical.UniversalAuth{ClientID: "id", Secret: secretOf("a\nb")}, source.CodeConfigInvalid},
		"unreadable": {infisical.UniversalAuth{ClientID: "id", Secret: func() (source.Value, error) {
			return source.Value{}, errors.New("no such file")
		}}, source.CodeConfigInvalid},
		"coded":       {infisical.Token{Read: func() (source.Value, error) { return source.Value{}, coded }}, source.CodeUsage},
		"empty token": {infisical.Token{Read: secretOf("")}, source.CodePartMissing},
	} {
		client := newClient(t, s.URL, func(c *infisical.Config) { c.Login = tt.login })
		_, err := client.Login(t.Context())
		if source.CodeOf(err) != tt.want {
			t.Errorf("%s: code %s, want %s", name, source.CodeOf(err), tt.want)
		}
	}
	if n := len(s.requests); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// jwt is an unsigned JSON Web Token.
func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestExpiry(t *testing.T) {
	exp := time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		body string
		want time.Time // zero: an hour from now when later, else none
		hour bool
	}{
		"of the JWT":   {loginBody(jwt(fmt.Sprintf(`{"exp":%d}`, exp.Unix()))), exp, false},
		"as announced": {`{"accessToken":"t","expiresIn":3600}`, time.Time{}, true},
		"unlimited":    {`{"accessToken":"t","expiresIn":0}`, time.Time{}, false},
		"broken JWT":   {`{"accessToken":"a.%.b","expiresIn":3600}`, time.Time{}, true},
	} {
		s := newServer(t, map[string]http.HandlerFunc{loginRoute: answer(200, tt.body)})
		before := time.Now().Add(time.Hour)
		got := login(t, newClient(t, s.URL)).Expiry()
		after := time.Now().Add(time.Hour)
		if tt.hour && (got.Before(before) || got.After(after)) || !tt.hour && !got.Equal(tt.want) {
			t.Errorf("%s: expiry %v", name, got)
		}
	}
}

func TestReadyToken(t *testing.T) {
	for name, tt := range map[string]struct{ token, bearer, identity string }{
		"of an identity": {jwt(`{"identityId":"i-1"}`), jwt(`{"identityId":"i-1"}`), "i-1"},
		"of a user":      {jwt(`{}`), jwt(`{}`), fingerprint(jwt(`{}`))},
		"opaque":         {" a\n", "a", "ca978112ca1bbdca"},
		"service":        {"st.id.secret.key", "st.id.secret", fingerprint("st.id.secret")},
		"short service":  {"st.id", "st.id", fingerprint("st.id")},
	} {
		var sent string
		s := newServer(t, map[string]http.HandlerFunc{listRoute: func(w http.ResponseWriter, r *http.Request) {
			sent = r.Header.Get("Authorization")
			revoked(w, r)
		}})
		ready := infisical.Token{Read: secretOf(tt.token)}
		if got := ready.Identity(); got != tt.identity || ready.Method() != "token" {
			t.Errorf("%s: identity %q, want %q; method %q", name, got, tt.identity, ready.Method())
		}
		client := newClient(t, s.URL, func(c *infisical.Config) { c.Login = ready })
		_, err := login(t, client).List(t.Context(), infisical.Query{Place: place})
		wantCode(t, err, source.CodeTokenRefused)
		if sent != "Bearer "+tt.bearer || len(s.requests) != 1 {
			t.Errorf("%s: sent %q, requests %v", name, sent, s.requests)
		}
	}
	if got := (infisical.Token{Read: secretOf("")}).Identity(); got != "" {
		t.Errorf("identity of no token is %q", got)
	}
	if got := (infisical.UniversalAuth{ClientID: "id"}); got.Identity() != "id" || got.Method() != "universal-auth" {
		t.Errorf("identity %q, method %q", got.Identity(), got.Method())
	}
}

func fingerprint(token string) string { return fmt.Sprintf("%.16x", sha256.Sum256([]byte(token)))[:16] }
