package infisicaltest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

func TestStoredValue(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {" a ", "a"}, {"a\n\n", "a\n"}, {"\n", "\n"}, {"  \n", "\n"}, {"x\r\n", "x\n"}, {"   ", ""}, {"\nx", "x"},
		{"a\r\nb\n\nc", "a\r\nb\n\nc"}, {"\ufeffx\ufeff", "x"}, {"x\u00a0\u2028", "x"}, {"x\u0085", "x\u0085"}, {"\u200bx", "\u200bx"},
		{"x \n ", "x"},
	} {
		if got := storedValue(tt.in); got != tt.want {
			t.Errorf("storedValue(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// The answers to writes that the profiles differ in, or that a client must tell
// apart.
func TestWriteAnswers(t *testing.T) {
	for _, tt := range []struct {
		name         string
		method, path string // after the base
		body         any
		want         int
		message      string
		documented   int // 0: the same
	}{
		{"create", "POST", "/NEW", body("secretValue", "1"), 200, "", 201},
		{"create what is there", "POST", "/A", body("secretValue", "1"), 400, "Secret already exists", 409},
		{"create without a value", "POST", "/NEW", body(), 422, "", 0},
		{"create in an unknown folder", "POST", "/NEW", body("secretValue", "1", "secretPath", "/x"), 404, "Folder with path '/x'", 0},
		{"create with a colon", "POST", "/A%3AB", body("secretValue", "1"), 422, "", 0},
		{"create with a slash", "POST", "/A%2FB", body("secretValue", "1"), 422, "", 0},
		{"create nothing but blanks", "POST", "/%20", body("secretValue", "1"), 422, "", 0},
		{"create a name of 101", "POST", "/" + strings.Repeat("N", 101), body("secretValue", "1"), 404, "Route POST:", 0},
		{"create with a tag", "POST", "/NEW", body("secretValue", "1", "tagIds", []string{"x"}), 404, "Tag not found", 0},
		{"create a personal one", "POST", "/A", body("secretValue", "1", "type", "personal"), 400, "Must be user", 0},
		{"create with JSON's type and no JSON", "POST", "/NEW", "", 500, "Something went wrong", 0},
		{"create called batch", "POST", "/batch", body("secretValue", "1"), 422, "", 0},
		{"create called backfill-secret-references", "POST", "/backfill-secret-references", body("secretValue", "1"), 200, "Successfully backfilled", 0},
		{"create called move", "POST", "/move", body("secretValue", "1"), 422, "", 0},
		{"update", "PATCH", "/A", body("secretValue", "2"), 200, "", 0},
		{"update what is missing", "PATCH", "/NOPE", body("secretValue", "2"), 404, "Secret with name NOPE not found", 0},
		{"rename onto another", "PATCH", "/A", body("newSecretName", "B"), 400, "Secret with the new name already exists", 0},
		{"delete", "DELETE", "/A", body(), 200, "", 0},
		{"delete what is missing", "DELETE", "/NOPE", body(), 404, "Secret not found", 0},
		{"delete without a body", "DELETE", "/A" + v4(""), nil, 422, "", 200},
		{"another method", "PUT", "/A", body("secretValue", "1"), 404, "Route PUT:", 0},
	} {
		for _, profile := range []Profile{Current, Documented} {
			t.Run(tt.name+"/"+string(profile), func(t *testing.T) {
				s := New(t, Options{Profile: profile})
				must(t, s.SetAll(devRoot, map[string]string{"A": "1", "B": "1"}))
				got := loggedIn(t, s).do(tt.method, "/api/v4/secrets"+tt.path, tt.body)
				want := tt.want
				if profile == Documented && tt.documented != 0 {
					want = tt.documented
				}
				if got.status != want || !strings.HasPrefix(got.message(), tt.message) {
					t.Errorf("%d %s, want %d %q", got.status, got.text, want, tt.message)
				}
				if _, issues := got.json["message"].([]any); issues != (got.status == 422) {
					t.Errorf("message %v with status %d", got.json["message"], got.status)
				}
			})
		}
	}
}

// What the answer to a write says is not always what is stored.
func TestEchoes(t *testing.T) {
	s := New(t, Options{})
	c := loggedIn(t, s)
	secretOf := func(r reply) map[string]any {
		t.Helper()
		sec, ok := r.json["secret"].(map[string]any)
		if !ok {
			t.Fatalf("%d %s", r.status, r.text)
		}
		return sec
	}
	made := secretOf(c.do("POST", "/api/v4/secrets/A", body("secretValue", " v ", "secretComment", " note ")))
	if _, told := made["secretValueHidden"]; told || made["secretValue"] != "v" || made["secretComment"] != "note" || made["version"] != 1.0 {
		t.Errorf("created: %v", made)
	}
	changed := secretOf(c.do("PATCH", "/api/v4/secrets/A", body("skipMultilineEncoding", true)))
	if changed["secretValue"] != "" || changed["secretComment"] != "" || changed["version"] != 2.0 || changed["secretValueHidden"] != false {
		t.Errorf("changed: %v", changed)
	}
	if got, _ := s.Get(devRoot, "A"); got != (Secret{Name: "A", Value: "v", Comment: "note", Version: 2}) {
		t.Errorf("stored: %+v", got)
	}
	renamed := secretOf(c.do("PATCH", "/api/v4/secrets/A", body("newSecretName", " B ")))
	if renamed["secretKey"] != "B" || renamed["id"] != made["id"] {
		t.Errorf("renamed: %v", renamed)
	}
	if gone := secretOf(c.do("DELETE", "/api/v4/secrets/B", body())); gone["secretValue"] != "v" || len(s.Values(devRoot)) != 0 {
		t.Errorf("deleted: %v", gone)
	}
}

// A personal secret lies over a shared one and is its owner's alone.
func TestPersonalWrites(t *testing.T) {
	seed := rich()
	s := New(t, Options{Seed: &seed})
	as := func(user string) *client {
		t.Helper()
		token, err := s.UserToken(user)
		must(t, err)
		return &client{t: t, s: s, token: token}
	}
	const path = "/api/v4/secrets/A"
	mine := func(fields ...any) map[string]any { return body(append(fields, "type", "personal")...) }
	value := func(c *client, query string) any {
		t.Helper()
		sec, _ := c.do("GET", path+v4(query), nil).json["secret"].(map[string]any)
		return sec["secretValue"]
	}
	bob := as("bob")
	for _, step := range []struct {
		name, method, path string
		body               any
		want               int
	}{
		{"update before there is one", "PATCH", path, mine("secretValue", "x"), 404},
		{"create", "POST", path, mine("secretValue", "bob's"), 200},
		{"create again", "POST", path, mine("secretValue", "x"), 400},
		{"create over nothing", "POST", "/api/v4/secrets/NOPE", mine("secretValue", "x"), 400},
		{"update", "PATCH", path, mine("secretValue", "bob's own"), 200},
	} {
		if got := bob.do(step.method, step.path, step.body); got.status != step.want {
			t.Errorf("%s: %d %s, want %d", step.name, got.status, got.text, step.want)
		}
	}
	for _, tt := range []struct {
		who   *client
		query string
		want  any
	}{
		{bob, "", "a"}, {bob, "&type=personal", "bob's own"}, {bob, "&includePersonalOverrides=true", "bob's own"},
		{as("ann"), "&includePersonalOverrides=true", "a"}, {as("ann"), "&type=personal", nil}, {loggedIn(t, s), "&type=personal", nil},
	} {
		if got := value(tt.who, tt.query); got != tt.want {
			t.Errorf("%q: A = %v, want %v", tt.query, got, tt.want)
		}
	}
	personalItem := body("secrets", []any{object{"secretKey": "A", "type": "personal"}})
	if got := loggedIn(t, s).do("DELETE", "/api/v4/secrets/batch", personalItem); got.status != 400 {
		t.Errorf("an identity deletes a personal secret: %d, want 400", got.status)
	}
	if got := bob.do("DELETE", "/api/v4/secrets/batch", personalItem); got.status != 200 || value(bob, "") != "a" {
		t.Errorf("delete: %d %s", got.status, got.text)
	}
}

func TestUpperCaseProjects(t *testing.T) {
	seed := DefaultSeed()
	seed.Projects[0].UpperCase = true
	s := New(t, Options{Seed: &seed})
	must(t, s.Set(devRoot, "A", "1"))
	c := loggedIn(t, s)
	for _, got := range []reply{
		c.do("POST", "/api/v4/secrets/new", body("secretValue", "1")),
		c.do("PATCH", "/api/v4/secrets/A", body("newSecretName", "a")),
		c.do("PATCH", "/api/v4/secrets/batch", body("mode", "upsert", "secrets", []any{object{"secretKey": "b", "secretValue": "1"}})),
	} {
		if got.status != 400 || got.message() != "Secret name must be in UPPERCASE" {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
}

func TestApprovals(t *testing.T) {
	s := New(t, Options{})
	must(t, s.Set(devRoot, "A", "1"))
	must(t, s.RequireApproval(devRoot, true))
	c := loggedIn(t, s)
	one := []any{object{"secretKey": "A", "secretValue": "2"}}
	for _, got := range []reply{
		c.do("POST", "/api/v4/secrets/B", body("secretValue", "2")),
		c.do("PATCH", "/api/v4/secrets/A", body("secretValue", "2")),
		c.do("DELETE", "/api/v4/secrets/A", body()),
		c.do("PATCH", "/api/v4/secrets/batch", body("secrets", one)),
		c.do("DELETE", "/api/v4/secrets/batch", body("secrets", one)),
	} {
		approval, ok := got.json["approval"].(map[string]any)
		if got.status != 200 || !ok || approval["status"] != "open" || len(got.json) != 1 {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	if got := s.Values(devRoot); !maps.Equal(got, map[string]string{"A": "1"}) {
		t.Errorf("stored: %v, want no change", got)
	}
	must(t, s.RequireApproval(devRoot, false))
	if got := c.do("DELETE", "/api/v4/secrets/A", body()); got.json["secret"] == nil {
		t.Errorf("afterwards: %d %s", got.status, got.text)
	}
}

func TestBatches(t *testing.T) {
	items := func(pairs ...string) []any {
		var list []any
		for _, pair := range pairs {
			name, value, valued := strings.Cut(pair, "=")
			item := object{"secretKey": name}
			if valued {
				item["secretValue"] = value
			}
			list = append(list, item)
		}
		return list
	}
	for _, tt := range []struct {
		name, method string
		body         map[string]any
		want         int
		message      string
		stored       map[string]string // nil: as before
		answered     []string
	}{
		{"create", "POST", body("secrets", items("X=1", "Y= 2 ")), 200, "", map[string]string{"A": "a", "B": "b", "X": "1", "Y": "2"}, []string{"X", "Y"}},
		{"create with some there", "POST", body("secrets", items("X=1", "A=1", "B=1")), 400, "Secret already exists: A,B", nil, nil},
		{"create none", "POST", body("secrets", items()), 422, "", nil, nil},
		{"create without secrets", "POST", body(), 422, "", nil, nil},
		{"create with a bad name", "POST", body("secrets", items("X=1", "A/B=1")), 422, "", nil, nil},
		{"update", "PATCH", body("secrets", items("A=1", "B")), 200, "", map[string]string{"A": "1", "B": "b"}, []string{"A", "B"}},
		{"update with one missing", "PATCH", body("secrets", items("A=1", "X=1")), 404, "Secret does not exist: X", nil, nil},
		{"upsert", "PATCH", body("mode", "upsert", "secrets", items("A=1", "X=1")), 200, "", map[string]string{"A": "1", "B": "b", "X": "1"}, []string{"A", "X"}},
		{"upsert with a bad name", "PATCH", body("mode", "upsert", "secrets", items("A=1", "X:Y=1")), 422, "", nil, nil},
		{"ignore", "PATCH", body("mode", "ignore", "secrets", items("A=1", "X=1")), 200, "", map[string]string{"A": "1", "B": "b"}, []string{"A"}},
		{"unknown mode", "PATCH", body("mode", "x", "secrets", items("A=1")), 422, "", nil, nil},
		{"delete", "DELETE", body("secrets", items("A", "B")), 200, "", map[string]string{}, []string{"A", "B"}},
		{"delete with one missing", "DELETE", body("secrets", items("A", "X")), 404, "One or more secrets does not exist", nil, nil},
		{"in an unknown folder", "PATCH", body("secretPath", "/x", "secrets", items("A=1")), 404, "Folder with path '/x'", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := New(t, Options{})
			before := map[string]string{"A": "a", "B": "b"}
			must(t, s.SetAll(devRoot, before))
			got := loggedIn(t, s).do(tt.method, "/api/v4/secrets/batch", tt.body)
			if got.status != tt.want || !strings.HasPrefix(got.message(), tt.message) {
				t.Errorf("%d %s, want %d %q", got.status, got.text, tt.want, tt.message)
			}
			if tt.stored == nil {
				tt.stored = before
			}
			if stored := s.Values(devRoot); !maps.Equal(stored, tt.stored) {
				t.Errorf("stored %v, want %v", stored, tt.stored)
			}
			if names := slices.Sorted(maps.Keys(got.values())); !slices.Equal(names, tt.answered) {
				t.Errorf("answered %q, want %q", names, tt.answered)
			}
		})
	}
}

func TestMove(t *testing.T) {
	s := New(t, Options{})
	staging := source.Place{Environment: "staging"}
	must(t, s.SetAll(devRoot, map[string]string{"A": "1", "B": "2"}))
	must(t, s.Set(staging, "B", "old"))
	c := loggedIn(t, s)
	id := func(name string) any {
		sec, _ := c.do("GET", "/api/v4/secrets/"+name+v4(""), nil).json["secret"].(map[string]any)
		return sec["id"]
	}
	move := map[string]any{
		"projectId": DefaultProjectID, "sourceEnvironment": "dev", "destinationEnvironment": "staging", "secretIds": []any{id("A"), id("B")},
	}
	if got := c.do("POST", "/api/v4/secrets/move", move); got.status != 400 || len(s.Values(devRoot)) != 2 {
		t.Errorf("onto a name that is taken: %d %s", got.status, got.text)
	}
	move["shouldOverwrite"] = true
	if got := c.do("POST", "/api/v4/secrets/move", move); got.status != 200 {
		t.Errorf("overwriting: %d %s", got.status, got.text)
	}
	if got := s.Values(staging); len(s.Values(devRoot)) != 0 || !maps.Equal(got, map[string]string{"A": "1", "B": "2"}) {
		t.Errorf("moved: %v", got)
	}
	if got := c.do("POST", "/api/v4/secrets/move", move); got.status != 404 {
		t.Errorf("again: %d, want 404", got.status)
	}
}

func TestFolders(t *testing.T) {
	s := New(t, Options{})
	c := loggedIn(t, s)
	folder := func(name, path string) map[string]any {
		return map[string]any{"workspaceId": DefaultProjectID, "environment": "dev", "name": name, "path": path}
	}
	for range 2 { // the second time it is there already
		if got := c.do("POST", "/api/v1/folders", folder("deep", "/made/on/the/way")); got.status != 200 || got.json["folder"] == nil {
			t.Errorf("create: %d %s", got.status, got.text)
		}
	}
	if s.Values(source.Place{Environment: "dev", Path: "/made/on/the/way/deep"}) == nil {
		t.Error("the folder was not made")
	}
	if got := c.do("POST", "/api/v1/folders", folder("a b", "/")); got.status != 422 {
		t.Errorf("a blank in the name: %d, want 422", got.status)
	}
	got := c.do("GET", "/api/v1/folders?environment=dev&path=/made&workspaceId="+DefaultProjectID, nil)
	if folders, _ := got.json["folders"].([]any); len(folders) != 1 {
		t.Errorf("list: %d %s", got.status, got.text)
	}
	if !s.DeleteFolder(source.Place{Environment: "dev", Path: "/made"}) || s.Values(source.Place{Environment: "dev", Path: "/made"}) != nil {
		t.Error("the folder was not deleted")
	}
}

func TestProjects(t *testing.T) {
	seed := DefaultSeed()
	seed.Projects = append(seed.Projects, Project{ID: "p2", Name: "other", Environments: []Environment{{Slug: "dev"}}}, Project{ID: "p3", Name: "third"})
	seed.Identities[0].Projects = []string{DefaultProjectID, "p2"}
	for _, tt := range []struct {
		profile Profile
		path    string
		key     string // of a list, or of an object with an id; "": the id itself
		want    int
	}{
		{Current, "/api/v1/projects", "projects", 200},
		{Current, "/api/v1/workspace?type=secret-manager", "workspaces", 200},
		{Current, "/api/v1/projects/p2", "project", 200},
		{Current, "/api/v1/workspace/p2", "workspace", 200},
		{Current, "/api/v1/projects/slug/other", "", 200},
		{Current, "/api/v1/projects/p3", "", 403},
		{Current, "/api/v1/projects/p4", "", 404},
		{Current, "/api/v1/projects?type=x", "", 422},
		{Documented, "/api/v1/workspace", "workspaces", 200},
		{Documented, "/api/v1/projects", "", 404},
		{V42025, "/api/v1/projects", "projects", 200},
		{Legacy, "/api/v1/workspace", "", 403},
		{Legacy, "/api/v1/workspace/p2", "workspace", 200},
		{Legacy, "/api/v1/projects", "", 404},
	} {
		s := New(t, Options{Profile: tt.profile, Seed: &seed})
		got := loggedIn(t, s).do("GET", tt.path, nil)
		if got.status != tt.want {
			t.Errorf("%s GET %s: %d %s, want %d", tt.profile, tt.path, got.status, got.text, tt.want)
			continue
		}
		if got.status != http.StatusOK {
			continue
		}
		value := any(got.json)
		if tt.key != "" {
			value = got.json[tt.key]
		}
		if list, ok := value.([]any); ok {
			if len(list) != 2 {
				t.Errorf("%s GET %s: %d projects, want the 2 that it is in", tt.profile, tt.path, len(list))
			}
		} else if p, ok := value.(map[string]any); !ok || p["id"] != "p2" || len(p["environments"].([]any)) != 1 {
			t.Errorf("%s GET %s: %v", tt.profile, tt.path, value)
		}
	}
}
