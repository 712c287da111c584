package infisicaltest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"infisync/source"
)

var devRoot = source.Place{Environment: "dev", Path: "/"}

// A reply is an answer that a test looks at.
type reply struct {
	status int
	header http.Header
	text   string
	json   map[string]any // nil: not an object
}

// message is the envelope's message where that is a text.
func (r reply) message() string { s, _ := r.json["message"].(string); return s }

// values are the names and values of a list's own secrets.
func (r reply) values() map[string]string {
	values := make(map[string]string)
	secrets, _ := r.json["secrets"].([]any)
	for _, entry := range secrets {
		sec := entry.(map[string]any)
		values[sec["secretKey"].(string)] = sec["secretValue"].(string)
	}
	return values
}

// A client talks to one server, with a token when it has one.
type client struct {
	t     *testing.T
	s     *Server
	token string
	extra http.Header
}

// loggedIn returns a client with a fresh token of the first identity.
func loggedIn(t *testing.T, s *Server) *client {
	t.Helper()
	id, _ := s.Credentials()
	token, err := s.Token(id)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, s: s, token: token}
}

// send makes a request. A body that is a string is sent as it is, another as
// JSON; nil is none.
func (c *client) send(method, path string, body any) (reply, error) {
	c.t.Helper()
	var content io.Reader
	if text, ok := body.(string); ok {
		content = strings.NewReader(text)
	} else if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL()+path, content)
	if err != nil {
		c.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, values := range c.extra {
		req.Header[name] = values
	}
	return roundTrip(req)
}

// roundTrip sends a request on a connection of its own, and follows no redirect.
func roundTrip(req *http.Request) (reply, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, text: string(data)}
	if json.Unmarshal(data, &r.json) != nil {
		r.json = nil
	}
	return r, err
}

// do is send for requests that get an answer.
func (c *client) do(method, path string, body any) reply {
	c.t.Helper()
	r, err := c.send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// v4 is a query for the v4 list and get routes of the default seed.
func v4(more string) string {
	return "?projectId=" + DefaultProjectID + "&environment=dev" + more
}

// body is a v4 write's body for the root of dev in the default seed.
func body(fields ...any) map[string]any {
	b := map[string]any{"projectId": DefaultProjectID, "environment": "dev", "secretPath": "/"}
	for i := 0; i < len(fields); i += 2 {
		b[fields[i].(string)] = fields[i+1]
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
