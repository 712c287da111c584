package infisical_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

const (
	clientSecret = "canary client-secret 'with \"quotes\""
	accessToken  = "canary-access-token"
)

var place = source.Place{Project: "p1", Environment: "dev", Path: "/"}

// A server answers requests by route and counts them.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	routes   map[string]http.HandlerFunc // "METHOD /api/path" → answer
	requests []string                    // "METHOD /api/path" in their order
}

// newServer starts a server that knows the login and the given routes and, as the
// API does, says of any other that there is none.
func newServer(t testing.TB, routes map[string]http.HandlerFunc) *server {
	t.Helper()
	s := &server{routes: routes}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Path
	s.mu.Lock()
	s.requests = append(s.requests, route)
	handler := s.routes[route]
	s.mu.Unlock()
	switch {
	case handler != nil:
		handler(w, r)
	case route == loginRoute:
		writeJSON(w, 200, loginBody(accessToken))
	default:
		noRoute(w, r)
	}
}

func (s *server) count(route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if r == route {
			n++
		}
	}
	return n
}

const (
	loginRoute = "POST /api/v1/auth/universal-auth/login"
	listRoute  = "GET /api/v4/secrets"
	oldList    = "GET /api/v3/secrets/raw"
)

func loginBody(token string) string {
	return fmt.Sprintf(`{"accessToken":%q,"expiresIn":7200,"accessTokenMaxTTL":7200,"tokenType":"Bearer"}`, token)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// answer is a handler that always says the same.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, body) }
}

// refuse is a handler that answers with the API's error.
func refuse(status int, name, message string) http.HandlerFunc {
	body, _ := json.Marshal(map[string]any{"reqId": "req-1", "statusCode": status, "error": name, "message": message})
	return answer(status, string(body))
}

func noRoute(w http.ResponseWriter, r *http.Request) {
	body, _ := json.Marshal(map[string]any{
		"statusCode": 404, "error": "Not Found", "message": "Route " + r.Method + ":" + r.URL.String() + " not found",
	})
	writeJSON(w, 404, string(body))
}

// quick is the real policy with waits that a test can stand.
func quick() infisical.Policy {
	p := infisical.DefaultPolicy()
	p.RateLimitWait, p.ServerErrorWait, p.ConnectionWait = 3*time.Millisecond, 2*time.Millisecond, time.Millisecond
	p.MaxWait = time.Second
	return p
}

func secretOf(s string) func() (source.Value, error) {
	return func() (source.Value, error) { return source.NewValue(s), nil }
}

// newClient returns a client of the server at url; change alters its settings.
func newClient(t testing.TB, url string, change ...func(*infisical.Config)) *infisical.Client {
	t.Helper()
	cfg := infisical.Config{
		URL:    url,
		Login:  infisical.UniversalAuth{ClientID: "id-1", Secret: secretOf(clientSecret)},
		Policy: quick(),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := infisical.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func login(t testing.TB, c *infisical.Client) *infisical.Session {
	t.Helper()
	s, err := c.Login(t.Context())
	if err != nil {
		t.Fatalf("Login: %v", err)
	}
	return s
}

// wantCode reports an error that has not the code.
func wantCode(t testing.TB, err error, want source.Code) {
	t.Helper()
	if got := source.CodeOf(err); got != want {
		t.Errorf("code %q, want %q; error: %v", got, want, err)
	}
}

// wantText reports an error whose text has not all the parts.
func wantText(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
