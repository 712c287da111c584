package infisical_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// listOf lists what a server with v4 answers.
func listOf(t testing.TB, handler http.HandlerFunc, q infisical.Query) (infisical.Answer, error) {
	t.Helper()
	s := newServer(t, map[string]http.HandlerFunc{listRoute: handler})
	return login(t, newClient(t, s.URL)).List(t.Context(), q)
}

func TestListReadsASecret(t *testing.T) {
	got, err := listOf(t, answer(200, `{"secrets":[
		{"secretKey":"A","secretValue":"1","version":3,"updatedAt":"2026-01-02T03:04:05.678Z","workspace":"P1","environment":"dev","secretPath":"/x/"},
		{"secretKey":"B","secretValue":"","version":null,"updatedAt":null,"secretPath":null,"actor":{"name":null}},
		{"secretKey":"C","secretValue":"3","updatedAt":17}
	],"imports":null,"more":[{}]}`), infisical.Query{Place: place})
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Secret{
		{Name: "A", Version: 3, Updated: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
			Place: source.Place{Project: "p1", Environment: "dev", Path: "/x"}},
		{Name: "B", Place: place},
		{Name: "C", Place: place},
	}
	if len(got.Listing.Own) != len(want) {
		t.Fatalf("got %d secrets, want %d", len(got.Listing.Own), len(want))
	}
	for i, value := range []string{"1", "", "3"} {
		s := got.Listing.Own[i]
		if s.Name != want[i].Name || s.Place != want[i].Place || s.Version != want[i].Version ||
			!s.Updated.Equal(want[i].Updated) || s.Value.Reveal() != value || s.Imported {
			t.Errorf("secret %d is %+v, want %+v with value %q", i, s, want[i], value)
		}
	}
}

func TestListReadsImports(t *testing.T) {
	got, err := listOf(t, answer(200, `{"imports":[
		{"secrets":[{"secretKey":"A","secretValue":"1","workspace":"p2"}],"environment":"prod","secretPath":"/b/"},
		{"environment":"dev","secretPath":"/empty","secrets":[]}
	],"secrets":[]}`), infisical.Query{Place: place, Imports: true})
	if err != nil {
		t.Fatal(err)
	}
	from := source.Place{Project: "p2", Environment: "prod", Path: "/b"}
	imports := got.Listing.Imports
	if len(imports) != 2 || imports[0].Place != from || len(imports[0].Secrets) != 1 ||
		imports[0].Secrets[0].Place != from || !imports[0].Secrets[0].Imported ||
		imports[1].Place != (source.Place{Project: "p1", Environment: "dev", Path: "/empty"}) {
		t.Errorf("got %+v", imports)
	}
}

// Each of these would give a child a part of its secrets, none, or another's.
func TestListRefusesWhatIsNotAList(t *testing.T) {
	for name, body := range map[string]string{
		"another program's":     `{"hello":1}`,
		"no secrets":            `{"imports":[]}`,
		"null secrets":          `{"secrets":null}`,
		"object of secrets":     `{"secrets":{}}`,
		"an array":              `[]`,
		"a string":              `"secrets"`,
		"nothing":               ``,
		"blank":                 ` `,
		"secrets twice":         `{"secrets":[],"secrets":[]}`,
		"more after the end":    `{"secrets":[]}{}`,
		"rubbish after the end": `{"secrets":[]}x`,
		"no name":               `{"secrets":[{"secretValue":"1"}]}`,
		"empty name":            `{"secrets":[{"secretKey":"","secretValue":"1"}]}`,
		"name is a number":      `{"secrets":[{"secretKey":1,"secretValue":"1"}]}`,
		"no value":              `{"secrets":[{"secretKey":"A"}]}`,
		"null value":            `{"secrets":[{"secretKey":"A","secretValue":null}]}`,
		"value is a number":     `{"secrets":[{"secretKey":"A","secretValue":1}]}`,
		"item is null":          `{"secrets":[null]}`,
		"item is a string":      `{"secrets":["A"]}`,
		"imports is an object":  `{"secrets":[],"imports":{}}`,
		"import without list":   `{"secrets":[],"imports":[{"environment":"dev"}]}`,
		"import of nowhere":     `{"secrets":[],"imports":[{"secrets":[]}]}`,
		"import with null list": `{"secrets":[],"imports":[{"environment":"dev","secrets":null}]}`,
		"import without value":  `{"secrets":[],"imports":[{"environment":"dev","secrets":[{"secretKey":"A"}]}]}`,
		"another environment":   `{"secrets":[{"secretKey":"A","secretValue":"1","environment":"prod"}]}`,
		"another project":       `{"secrets":[{"secretKey":"A","secretValue":"1","workspace":"p2"}]}`,
		"good then bad":         `{"secrets":[{"secretKey":"A","secretValue":"1"},{"secretKey":"B"}]}`,
		"no comma":              `{"secrets":[{"secretKey":"A","secretValue":"1"} {"secretKey":"B","secretValue":"1"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := listOf(t, answer(200, body), infisical.Query{Place: place, Imports: true})
			wantCode(t, err, source.CodeNotTheAPI)
			if got.Listing.Own != nil || got.Listing.Imports != nil {
				t.Errorf("a listing came with the error: %v", got.Listing)
			}
		})
	}
}

// However much of a list arrives, it is all or nothing.
func TestListCutAnywhere(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded/list-with-imports.http")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var length int
	s := newServer(t, map[string]http.HandlerFunc{listRoute: func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, string(body[:length]))
	}})
	noRetry := quick().InHaste()
	session := login(t, newClient(t, s.URL, func(c *infisical.Config) { c.Policy = noRetry }))
	for length = 0; length < len(body); length += 7 {
		got, err := session.List(t.Context(), infisical.Query{Place: recordedPlace("imports"), Imports: true})
		if err == nil || got.Listing.Own != nil {
			t.Fatalf("%d of %d bytes gave %v, %v", length, len(body), got, err)
		}
		wantCode(t, err, source.CodeNotTheAPI)
		wantText(t, err, "cut off")
	}
}

func TestListMasked(t *testing.T) {
	for name, row := range map[string]string{
		"told":        `"secretValue":"canary","secretValueHidden":true`,
		"by the mask": `"secretValue":"<hidden-by-infisical>"`,
		"no value":    `"secretValueHidden":true`,
	} {
		t.Run(name, func(t *testing.T) {
			var view string
			handler := func(w http.ResponseWriter, r *http.Request) {
				view = r.URL.Query().Get("viewSecretValue")
				writeJSON(w, 200, `{"secrets":[{"secretKey":"DB_PASSWORD",`+row+`}]}`)
			}
			got, err := listOf(t, handler, infisical.Query{Place: place})
			wantCode(t, err, source.CodeValueMasked)
			wantText(t, err, `"DB_PASSWORD"`)
			if got.Listing.Own != nil || view != "true" {
				t.Errorf("viewSecretValue=%s; got %v", view, got)
			}
			got, err = listOf(t, handler, infisical.Query{Place: place, NamesOnly: true})
			if err != nil || len(got.Listing.Own) != 1 || !got.Listing.Own[0].Value.Empty() || view != "false" {
				t.Errorf("with names only: viewSecretValue=%s; got %v, %v", view, got, err)
			}
		})
	}
}

func TestListQuery(t *testing.T) {
	var v4, v3 url.Values
	s := newServer(t, map[string]http.HandlerFunc{
		listRoute: func(w http.ResponseWriter, r *http.Request) { v4 = r.URL.Query(); noRoute(w, r) },
		oldList:   func(w http.ResponseWriter, r *http.Request) { v3 = r.URL.Query(); writeJSON(w, 200, `{"secrets":[]}`) },
	})
	session := login(t, newClient(t, s.URL))
	place := source.Place{Project: "p1", Environment: "dev", Path: "app/ä b"}
	if _, err := session.List(t.Context(), infisical.Query{Place: place, Imports: true}); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"environment": {"dev"}, "secretPath": {"/app/ä b"}, "recursive": {"false"}, "includeImports": {"true"},
		"include_imports": {"true"}, "expandSecretReferences": {"false"}, "viewSecretValue": {"true"},
		"includePersonalOverrides": {"false"},
	}
	for name, got := range map[string]url.Values{"projectId": v4, "workspaceId": v3} {
		want := want.Encode()
		id := got.Get(name)
		got.Del(name)
		if id != "p1" || got.Encode() != want {
			t.Errorf("%s=%q and %v, want %v", name, id, got.Encode(), want)
		}
	}
}

// The version is found out once, and again when the server was upgraded.
func TestListFallsBackToV3(t *testing.T) {
	empty := answer(200, `{"secrets":[]}`)
	s := newServer(t, map[string]http.HandlerFunc{oldList: empty})
	client := newClient(t, s.URL)
	session := login(t, client)
	mustList := func() {
		t.Helper()
		if _, err := session.List(t.Context(), infisical.Query{Place: place}); err != nil {
			t.Fatal(err)
		}
	}
	mustList()
	mustList()
	if s.count(listRoute) != 1 || s.count(oldList) != 2 || !client.With(infisical.Policy{}).Legacy() {
		t.Errorf("v4 was asked %d times, v3 %d; legacy %v", s.count(listRoute), s.count(oldList), client.Legacy())
	}
	s.mu.Lock()
	s.routes = map[string]http.HandlerFunc{listRoute: empty}
	s.mu.Unlock()
	mustList()
	if client.Legacy() {
		t.Error("the server has v4 now")
	}
	known := newClient(t, s.URL, func(c *infisical.Config) { c.Legacy = true })
	if !known.Legacy() {
		t.Error("Config.Legacy is not taken")
	}
}

// Another 404 of the v4 route says nothing about the version.
func TestListStaysWithV4(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{
		listRoute: refuse(404, "SecretPathNotFound", "Folder with path '/' not found"),
		oldList:   answer(200, `{"secrets":[]}`),
	})
	_, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place})
	wantCode(t, err, source.CodePlaceNotFound)
	if s.count(oldList) != 0 {
		t.Error("v3 was asked")
	}
}

func TestListWithoutAnyRoute(t *testing.T) {
	s := newServer(t, nil)
	_, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place})
	wantCode(t, err, source.CodeNotTheAPI)
	wantText(t, err, "check the server's URL")
}

func TestListNeedsAPlace(t *testing.T) {
	s := newServer(t, nil)
	session := login(t, newClient(t, s.URL))
	for _, p := range []source.Place{{}, {Project: "p1"}, {Environment: "dev"}} {
		_, err := session.List(t.Context(), infisical.Query{Place: p})
		wantCode(t, err, source.CodePartMissing)
	}
}

func TestListTooLong(t *testing.T) {
	big := `{"secrets":[{"secretKey":"A","secretValue":"` + strings.Repeat("a", 1<<20) + `"}]}`
	policy := quick()
	policy.MaxBody = 1 << 19
	zipped := func(w http.ResponseWriter, _ *http.Request) { // what counts is what it becomes
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, big)
		z.Close()
	}
	for name, handler := range map[string]http.HandlerFunc{"plain": answer(200, big), "zipped": zipped} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{listRoute: handler})
			_, err := login(t, newClient(t, s.URL, func(c *infisical.Config) { c.Policy = policy })).
				List(t.Context(), infisical.Query{Place: place})
			wantCode(t, err, source.CodeNotTheAPI)
			wantText(t, err, "longer than 524288 bytes")
			got, err := listOf(t, handler, infisical.Query{Place: place})
			if err != nil || len(got.Listing.Own[0].Value.Reveal()) != 1<<20 {
				t.Errorf("with the real limit: %v", err)
			}
		})
	}
}

func TestListNotModified(t *testing.T) {
	_, err := listOf(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, infisical.Query{Place: place})
	wantCode(t, err, source.CodeNotTheAPI) // nobody asked whether it changed
	var status *infisical.StatusError
	if !errors.As(err, &status) || status.Status != 304 {
		t.Errorf("error %v has no StatusError", err)
	}

	// A server that forgot the tag sends everything with the same tag again.
	same := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"x"`)
		writeJSON(w, 200, `{"secrets":[{"secretKey":"A","secretValue":"1"}]}`)
	}
	got, err := listOf(t, same, infisical.Query{Place: place, ETag: `"x"`})
	if err != nil || got.NotModified || got.ETag != `"x"` || len(got.Listing.Own) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}
