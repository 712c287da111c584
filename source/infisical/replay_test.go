package infisical_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

// recorded plays back what a server of 2024 answered.
func recorded(t testing.TB, name string) http.HandlerFunc {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		for key, values := range resp.Header {
			w.Header()[key] = values
		}
		if resp.Header.Get("Content-Type") == "" {
			w.Header()["Content-Type"] = nil // or net/http guesses one
		}
		w.WriteHeader(resp.StatusCode)
		w.Write(body)
	}
}

// recordedPlace is where the recorded lists are from.
func recordedPlace(environment string) source.Place {
	return source.Place{Project: "<PROJECT_ID>", Environment: environment, Path: "/"}
}

func TestRecordedErrors(t *testing.T) {
	for name, want := range map[string]source.Code{
		"list-malformed-token":                      source.CodeTokenRefused,
		"list-expired-token-max-ttl-jwt-exp-passed": source.CodeTokenRefused,
		"list-expired-token-ttl-row-first-use":      source.CodeTokenRefused,
		"list-expired-token-ttl-row-second-use":     source.CodeTokenRefused,
		"list-revoked-token":                        source.CodeTokenRefused,
		"list-one-use-token-second":                 source.CodeTokenRefused,
		"list-no-token":                             source.CodeTokenRefused,
		"list-identity-without-membership":          source.CodeAccessDenied,
		"list-legacy-v1-project-without-bot":        source.CodeProjectNotFound,
		"list-unknown-project":                      source.CodeProjectNotFound,
		"list-missing-environment":                  source.CodeRequestRefused,
		"list-bad-boolean":                          source.CodeRequestRefused,
		"list-header-over-16kib":                    source.CodeRequestRefused,
		"list-unknown-environment-recursive":        source.CodeServerError,
		"rate-limit-listing-request-41":             source.CodeRateLimited,
		"postgres-down-list":                        source.CodeServerError,
		"list-v4":                                   source.CodeNotTheAPI, // of both routes
		"status":                                    source.CodeNotTheAPI, // JSON, but not a list
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{listRoute: noRoute, oldList: recorded(t, name)})
			got, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place})
			wantCode(t, err, want)
			if len(got.Listing.Own) != 0 || len(got.Listing.Imports) != 0 {
				t.Errorf("a listing came with the error: %v", got)
			}
			var status *infisical.StatusError
			if want != source.CodeNotTheAPI && (!errors.As(err, &status) || status.Status < 400 || status.Message == "") {
				t.Errorf("no StatusError with status and message: %#v", status)
			}
		})
	}
}

func TestRecordedLogins(t *testing.T) {
	for name, want := range map[string]source.Code{
		"login-ok":                             "",
		"login-wrong-secret":                   source.CodeLoginRefused,
		"login-unknown-client-id":              source.CodeLoginRefused,
		"login-missing-clientid":               source.CodeRequestRefused,
		"rate-limit-login-over-200-per-minute": source.CodeRateLimited,
		"postgres-down-login":                  source.CodeServerError,
		"list-v4":                              source.CodeNotTheAPI,
		"get-by-name":                          source.CodeNoAccessToken,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{loginRoute: recorded(t, name)})
			_, err := newClient(t, s.URL).Login(t.Context())
			wantCode(t, err, want)
		})
	}
}

// list replays one recorded list.
func list(t *testing.T, name string, q infisical.Query) source.Listing {
	t.Helper()
	s := newServer(t, map[string]http.HandlerFunc{listRoute: noRoute, oldList: recorded(t, name)})
	got, err := login(t, newClient(t, s.URL)).List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got.ETag == "" || got.NotModified {
		t.Errorf("ETag %q, NotModified %v of a first list", got.ETag, got.NotModified)
	}
	return got.Listing
}

func TestRecordedImports(t *testing.T) {
	got := list(t, "list-with-imports", infisical.Query{Place: recordedPlace("imports"), Imports: true})
	set := source.Merge([]source.Listing{got})
	for name, want := range map[string]string{"OWN": "o", "SHARED": "own", "ONLY_STAGING": "s", "ONLY_PROD": "p"} {
		if secret, _ := set.Get(name); secret.Value.Reveal() != want {
			t.Errorf("%s is not %q", name, want)
		}
	}
	if len(got.Imports) < 2 || got.Imports[0].Place != recordedPlace("staging") {
		t.Fatalf("imports %v, want staging first", got.Imports)
	}
	// Old servers leave the project of imported secrets empty.
	only, _ := set.Get("ONLY_PROD")
	if only.Place != recordedPlace("prod") || !only.Imported {
		t.Errorf("ONLY_PROD is of %v, imported: %v", only.Place, only.Imported)
	}
	own, _ := set.Get("OWN")
	if own.Imported || own.Version != 1 || own.Updated.Format("2006-01-02T15:04:05.000") != "2026-11-23T14:04:26.023" {
		t.Errorf("OWN has version %d of %v, imported: %v", own.Version, own.Updated, own.Imported)
	}
}

func TestRecordedRecursive(t *testing.T) {
	got := list(t, "list-recursive-from-root-with-duplicate-keys", infisical.Query{Place: recordedPlace("folders"), Recursive: true})
	values := make(map[string]string) // folder and name → value
	for _, s := range got.Own {
		values[s.Place.Path+" "+s.Name] = s.Value.Reveal()
	}
	for key, want := range map[string]string{"/a DUP": "in-a", "/a/b DUP": "in-a-b"} {
		if values[key] != want {
			t.Errorf("%s is %q, want %q; all: %v", key, values[key], want, values)
		}
	}
}

// A user's token lists personal secrets beside the shared ones on old servers.
func TestRecordedPersonal(t *testing.T) {
	got := list(t, "personal-list-by-user", infisical.Query{Place: recordedPlace("personal")})
	if len(got.Own) != 1 || got.Own[0].Value.Reveal() != "shared" {
		t.Errorf("got %v, want the shared one alone", got.Own)
	}
}

func TestRecordedValues(t *testing.T) {
	got := list(t, "list-after-values", infisical.Query{Place: recordedPlace("values")})
	set := source.Merge([]source.Listing{got})
	for name, want := range map[string]string{
		"V_pem":           "-----BEGIN PRIVATE KEY-----\nMIIB\nAAAA\n-----END PRIVATE KEY-----\n",
		"V_empty":         "",
		"V_dollar":        "p$ss $HOME ${NOT_THERE} $$",
		"V_quotes":        "a\"b'c`d",
		"V_unicode":       "żółć 鍵 🔑 e\u0301",
		"V_control bytes": "a\x01\x1b\x7fb",
		"V_nul byte":      "a\x00b",
	} {
		secret, ok := set.Get(name)
		if !ok || secret.Value.Reveal() != want {
			t.Errorf("%q is not %q (found: %v)", name, want, ok)
		}
	}
}

func TestRecordedEmpty(t *testing.T) {
	for _, name := range []string{"list-empty-environment", "list-minimal-query"} { // imports: [] and absent
		if got := list(t, name, infisical.Query{Place: recordedPlace("empty")}); !got.Empty() {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestRecordedNotModified(t *testing.T) {
	const etag = `"61sxu8vEZ2zE/yw7Avl7rEoLo/I="`
	var sent string
	play := recorded(t, "etag-if-none-match-same")
	s := newServer(t, map[string]http.HandlerFunc{listRoute: noRoute, oldList: func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("If-None-Match")
		play(w, r)
	}})
	got, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place, ETag: etag})
	if err != nil || !got.NotModified || got.ETag != etag || sent != etag {
		t.Errorf("got %+v, %v; sent %q", got, err, sent)
	}
}

func TestRecordedProjects(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{
		"GET /api/v1/workspace":    recorded(t, "workspace-list-with-user-token"),
		"GET /api/v1/workspace/p1": recorded(t, "workspace-get-by-id-with-identity-token"),
	})
	session := login(t, newClient(t, s.URL))
	projects, err := session.Projects(t.Context())
	if err != nil || len(projects) < 1 || projects[0].ID == "" || len(projects[0].Environments) == 0 {
		t.Fatalf("Projects() = %v, %v", projects, err)
	}
	project, err := session.Project(t.Context(), "p1")
	want := infisical.Environment{Slug: "dev", Name: "Development"}
	if err != nil || project.ID != "<PROJECT_ID>" || project.Slug != "contract-recording" || project.Environments[0] != want {
		t.Errorf("Project() = %v, %v", project, err)
	}
	if n := s.count("GET /api/v1/projects/p1"); n != 0 {
		t.Errorf("the unknown route was asked for again, %d times", n)
	}

	denied := newServer(t, map[string]http.HandlerFunc{"GET /api/v1/workspace": recorded(t, "workspace-list-with-identity-token")})
	_, err = login(t, newClient(t, denied.URL)).Projects(t.Context())
	wantCode(t, err, source.CodeAccessDenied)
}

func TestRecordedSingle(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{
		oldList:                         recorded(t, "list-missing-environment"),
		"GET /api/v3/secrets/raw/ALPHA": recorded(t, "get-by-name"),
		"GET /api/v3/secrets/raw/NONE":  recorded(t, "get-by-name-missing"),
	})
	client := newClient(t, s.URL)
	session := login(t, client)
	secret, err := session.Get(t.Context(), recordedPlace("crud"), "ALPHA", false)
	if err != nil || secret.Name != "ALPHA" || secret.Value.Empty() || secret.Version == 0 {
		t.Errorf("Get(ALPHA) = %v, %v", secret, err)
	}
	if !client.Legacy() {
		t.Error("the server has no v4 and the client did not notice")
	}
	_, err = session.Get(t.Context(), recordedPlace("crud"), "NONE", false)
	wantCode(t, err, source.CodeSecretNotFound)
}

func TestRecordedStatus(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{"GET /api/status": recorded(t, "status")})
	status, err := newClient(t, s.URL).Status(t.Context())
	if err != nil || status.Message != "Ok" || status.Time.IsZero() {
		t.Errorf("Status() = %+v, %v", status, err)
	}
}
