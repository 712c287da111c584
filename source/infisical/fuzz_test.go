package infisical

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infisync/source"
)

// A roundTrip answers without a network.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// addRecorded adds the answers of a real server as seeds.
func addRecorded(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "recorded", "*.http"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
		if err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add(resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Retry-After"), body)
	}
}

// answered returns a client that gets this answer to each request.
func answered(t *testing.T, login Login, status int, contentType, retryAfter string, body []byte) *Client {
	t.Helper()
	if status < 100 || status > 999 {
		t.Skip("net/http does not let it through")
	}
	client, err := New(Config{URL: "http://localhost", Policy: Policy{MaxBody: 1 << 20}, Login: login})
	if err != nil {
		t.Fatal(err)
	}
	client.http = &http.Client{Transport: roundTrip(func(r *http.Request) *http.Response {
		return &http.Response{
			StatusCode: status, Request: r, Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{"Content-Type": {contentType}, "Retry-After": {retryAfter}},
		}
	})}
	return client
}

// canary is a credential that no error may show.
func canary() (source.Value, error) { return source.NewValue("canary-credential"), nil }

// FuzzList: whatever a server answers, List gives a whole listing or an error with
// a code, never both, and never a secret more or less than the answer's JSON holds.
func FuzzList(f *testing.F) {
	addRecorded(f)
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		session, err := answered(t, Token{Read: canary}, status, contentType, retryAfter, body).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		place := source.Place{Project: "<PROJECT_ID>", Environment: "imports", Path: "/"}
		got, err := session.List(t.Context(), Query{Place: place, Imports: true})
		if err != nil {
			if got.Listing.Own != nil || got.Listing.Imports != nil || got.NotModified {
				t.Fatalf("an answer came with the error %v: %v", err, got)
			}
			checkError(t, err)
			return
		}
		if status != 200 && status != 201 {
			t.Fatalf("status %d gave a listing", status)
		}
		checkWhole(t, got.Listing, body)
	})
}

// FuzzLogin: whatever a server answers, a login gives the answer's token or an error
// with a code that shows no credential.
func FuzzLogin(f *testing.F) {
	addRecorded(f)
	f.Add(401, "application/json", "", []byte(`{"statusCode":401,"error":"UnauthorizedError","message":"canary-credential"}`))
	f.Add(200, "application/json", "", []byte(`{"accessToken":"two\nlines"}`))
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		client := answered(t, UniversalAuth{ClientID: "id", Secret: canary}, status, contentType, retryAfter, body)
		session, err := client.Login(t.Context())
		if err != nil {
			if session != nil {
				t.Fatalf("a session came with the error %v", err)
			}
			checkError(t, err)
			return
		}
		var answer struct{ AccessToken string } // in whatever case, as the library reads keys
		mustDecode(t, body, &answer)
		if got := session.current().token.Reveal(); got == "" || got != strings.TrimSpace(answer.AccessToken) || !validHeaderValue(got) {
			t.Fatalf("the token is %q, the answer has %q", got, answer.AccessToken)
		}
	})
}

// FuzzProjects: whatever a server answers, the list of projects is the answer's or an
// error with a code, never both, and none is without an id.
func FuzzProjects(f *testing.F) {
	addRecorded(f)
	f.Add(200, "application/json", "", []byte(`{"projects":[{"id":"p"},{"name":"without an id"}]}`))
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		session, err := answered(t, Token{Read: canary}, status, contentType, retryAfter, body).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := session.Projects(t.Context())
		if err != nil {
			if got != nil {
				t.Fatalf("projects came with the error %v: %v", err, got)
			}
			checkError(t, err)
			return
		}
		var answer struct{ Projects, Workspaces []json.RawMessage }
		mustDecode(t, body, &answer)
		if all := max(len(answer.Projects), len(answer.Workspaces)); len(got) > all {
			t.Fatalf("%d projects of the answer's %d", len(got), all)
		}
		for _, project := range got {
			if project.ID == "" {
				t.Fatalf("a project without an id: %+v", project)
			}
		}
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if code := source.CodeOf(err); code == source.CodeInternal || code == "" {
		t.Fatalf("error without a code: %v", err)
	}
	if text := err.Error(); strings.Contains(text, "canary-credential") || strings.ContainsAny(text, "\n\r\x1b") {
		t.Fatalf("error shows the credential or a control character: %q", text)
	}
}

// checkWhole compares a listing with what another decoder reads in the body.
func checkWhole(t *testing.T, listing source.Listing, body []byte) {
	t.Helper()
	whole := object(t, body)
	checkSecrets(t, listing.Own, whole["secrets"])
	var imports []json.RawMessage
	if whole["imports"] != nil {
		mustDecode(t, whole["imports"], &imports)
	}
	if len(listing.Imports) != len(imports) {
		t.Fatalf("%d imports, want %d", len(listing.Imports), len(imports))
	}
	for i, imported := range listing.Imports {
		checkSecrets(t, imported.Secrets, object(t, imports[i])["secrets"])
	}
}

// object reads an object's keys as they are written: encoding/json takes those of
// a struct in any case.
func object(t *testing.T, text []byte) map[string]json.RawMessage {
	t.Helper()
	var o map[string]json.RawMessage
	mustDecode(t, text, &o)
	return o
}

func mustDecode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("a listing was made of what is not JSON: %v", err)
	}
}

func checkSecrets(t *testing.T, got []source.Secret, text []byte) {
	t.Helper()
	var want []struct {
		Key   string `json:"secretKey"`
		Value string `json:"secretValue"`
		Type  string `json:"type"`
	}
	mustDecode(t, text, &want)
	for _, s := range want {
		if s.Type == "personal" {
			return // left out where there is a shared one, see TestRecordedPersonal
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d secrets, want %d", len(got), len(want))
	}
	for i, s := range got {
		if s.Name != want[i].Key || s.Name == "" || s.Value.Reveal() != want[i].Value {
			t.Fatalf("secret %d is %q, want %q, or has another value", i, s.Name, want[i].Key)
		}
	}
}
