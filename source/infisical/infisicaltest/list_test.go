package infisicaltest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

// rich is the default seed with an import, a reference and a folder in dev.
func rich() Seed {
	seed := DefaultSeed()
	seed.Users = []User{{ID: "ann"}, {ID: "bob"}}
	seed.Folders = []Folder{
		{Environment: "dev", Secrets: []Secret{
			{Name: "A", Value: "a"}, {Name: "REF", Value: "<${A}>"},
			{Name: "P", Value: "shared"}, {Name: "P", Value: "ann's", User: "ann"},
		}, Imports: []Import{{Environment: "staging"}}},
		{Environment: "dev", Path: "/sub", Secrets: []Secret{{Name: "S", Value: "s"}}},
		{Environment: "staging", Secrets: []Secret{{Name: "I", Value: "i"}}},
	}
	return seed
}

// importedValues are the names and values of each of a list's imports.
func (r reply) importedValues() []map[string]string {
	var all []map[string]string
	imports, _ := r.json["imports"].([]any)
	for _, entry := range imports {
		all = append(all, reply{json: entry.(map[string]any)}.values())
	}
	return all
}

// Which flags are on when they are not sent, and how the one for imports is
// spelled.
func TestListFlags(t *testing.T) {
	seed := rich()
	for _, tt := range []struct {
		profile          Profile
		query            string
		expands, imports bool
	}{
		{Current, "", true, true},
		{Current, "&includeImports=false&expandSecretReferences=false", false, false},
		{Current, "&include_imports=false", true, true}, // not its spelling: ignored
		{Documented, "", true, true},
		{V42025, "", false, false},
		{V42025, "&includeImports=true", false, false},
		{V42025, "&include_imports=true&expandSecretReferences=true", true, true},
	} {
		s := New(t, Options{Profile: tt.profile, Seed: &seed})
		got := loggedIn(t, s).do("GET", "/api/v4/secrets"+v4(tt.query), nil)
		_, imports := got.json["imports"]
		want := map[bool]string{true: "<a>", false: "<${A}>"}[tt.expands]
		if got.values()["REF"] != want || imports != tt.imports {
			t.Errorf("%s %q: REF=%q imports %v, want %q %v", tt.profile, tt.query, got.values()["REF"], imports, want, tt.imports)
		}
	}
	s := New(t, Options{Seed: &seed})
	got := loggedIn(t, s).do("GET", "/api/v3/secrets/raw?environment=dev&workspaceId="+DefaultProjectID+"&include_imports=true", nil)
	if len(got.importedValues()) != 1 || got.values()["REF"] != "<${A}>" {
		t.Errorf("v3 of a server with v4: %d %s", got.status, got.text)
	}
}

func TestListOfWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		profile Profile
		path    string
		want    int
		message string
	}{
		{Current, "/api/v4/secrets" + v4("&secretPath=/nope"), 404, "Folder with path '/nope' in environment with slug 'dev' not found"},
		{Current, "/api/v4/secrets" + v4("&secretPath=sub"), 404, "Folder with path 'sub'"},
		{Current, "/api/v4/secrets?environment=nope&projectId=" + DefaultProjectID, 404, "Folder with path '/' in environment with slug 'nope'"},
		{Current, "/api/v4/secrets?environment=dev&projectId=nope", 404, "Project with ID 'nope' not found"},
		{Current, "/api/v4/secrets?environment=dev", 400, "Missing project id or environment"},
		{Current, "/api/v4/secrets/NOPE" + v4(""), 404, "Secret with name 'NOPE' not found"},
		{Current, "/api/v4/nope", 404, "Route GET:/api/v4/nope not found"},
		{Current, "/nope", 200, ""},
		{Documented, "/api/v3/secrets/raw?environment=dev", 404, "Route GET:/api/v3/secrets/raw?environment=dev not found"},
		{Documented, "/api/v1/projects", 404, "Route GET:/api/v1/projects not found"},
		{Legacy, "/api/v4/secrets" + v4(""), 404, "Route GET:/api/v4/secrets" + v4("") + " not found"},
		{Legacy, "/api/v3/secrets/raw?environment=nope&workspaceId=" + DefaultProjectID, 200, ""},
		{Legacy, "/nope", 404, "Route GET:/nope not found"},
		{V42025, "/api/v4/secrets" + v4("&secretPath=/nope"), 404, "Folder with path '/nope'"},
	} {
		seed := rich()
		s := New(t, Options{Profile: tt.profile, Seed: &seed})
		got := loggedIn(t, s).do("GET", tt.path, nil)
		if got.status != tt.want || !strings.HasPrefix(got.message(), tt.message) {
			t.Errorf("%s GET %s: %d %q, want %d %q", tt.profile, tt.path, got.status, got.message(), tt.want, tt.message)
		}
		_, named := got.json["reqId"]
		route := got.json["error"] == "Not Found"
		if want := got.status >= 400 && tt.profile != Legacy && !route; named != want {
			t.Errorf("%s GET %s: reqId %v, want %v", tt.profile, tt.path, named, want)
		}
		if html := strings.HasPrefix(got.header.Get("Content-Type"), "text/html"); html != (tt.path == "/nope" && got.status == 200) {
			t.Errorf("%s GET %s: content type %q", tt.profile, tt.path, got.header.Get("Content-Type"))
		}
	}
}

func TestBooleansAreExact(t *testing.T) {
	c := loggedIn(t, New(t, Options{}))
	for query, want := range map[string]int{
		"&recursive=true": 200, "&recursive=1": 422, "&recursive=True": 422, "&recursive=true&recursive=true": 422,
		"&viewSecretValue=": 422, "&unknown=1": 200,
	} {
		got := c.do("GET", "/api/v4/secrets"+v4(query), nil)
		if _, issues := got.json["message"].([]any); got.status != want || issues != (want == 422) {
			t.Errorf("%q: %d %v, want %d", query, got.status, got.json["message"], want)
		}
	}
}

// Who sees what of a folder, of one below it and of one that is imported.
func TestPermissions(t *testing.T) {
	at := func(env, path string) []source.Place { return []source.Place{{Environment: env, Path: path}} }
	all := map[string]string{"A": "a", "REF": "<a>", "P": "shared", "S": "s"}
	for _, tt := range []struct {
		name     string
		identity Identity
		query    string
		status   int
		own      map[string]string
		imports  int
	}{
		{"admin", Identity{}, "", 200, all, 1},
		{"viewer", Identity{Role: Viewer}, "", 200, all, 1},
		{"describes and asks for values", Identity{Role: Describe}, "", 403, nil, 0},
		{"describes and asks for names", Identity{Role: Describe}, "&viewSecretValue=false", 200,
			map[string]string{"A": masked, "REF": masked, "P": masked, "S": masked}, 1},
		{"no access", Identity{Role: NoAccess}, "&viewSecretValue=false", 403, nil, 0},
		{"other project", Identity{Projects: []string{"other"}}, "", 403, nil, 0},
		{"hidden below", Identity{Hide: at("dev", "/sub")}, "", 200, map[string]string{"A": "a", "REF": "<a>", "P": "shared"}, 1},
		{"denied below", Identity{Deny: at("dev", "/sub")}, "", 200, map[string]string{"A": "a", "REF": "<a>", "P": "shared"}, 1},
		{"denied import", Identity{Deny: at("staging", "/")}, "", 200, all, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seed := rich()
			tt.identity.ClientID, tt.identity.ClientSecret = DefaultClientID, DefaultClientSecret
			seed.Identities = []Identity{tt.identity}
			got := loggedIn(t, New(t, Options{Seed: &seed})).do("GET", "/api/v4/secrets"+v4("&recursive=true"+tt.query), nil)
			if got.status != tt.status || got.status == 200 && !maps.Equal(got.values(), tt.own) || len(got.importedValues()) != tt.imports {
				t.Errorf("%d %v with %d imports, want %d %v with %d", got.status, got.values(), len(got.importedValues()), tt.status, tt.own, tt.imports)
			}
			secrets, _ := got.json["secrets"].([]any)
			for _, entry := range secrets {
				sec := entry.(map[string]any)
				if hidden := sec["secretValue"] == masked; sec["secretValueHidden"] != hidden {
					t.Errorf("%s: secretValueHidden %v, want %v", sec["secretKey"], sec["secretValueHidden"], hidden)
				}
			}
		})
	}
}

func TestPersonalSecrets(t *testing.T) {
	for _, tt := range []struct {
		profile Profile
		user    string
		query   string
		want    []string // the values of P
	}{
		{Current, "ann", "", []string{"shared"}},
		{Current, "ann", "&includePersonalOverrides=true", []string{"ann's"}},
		{Current, "bob", "&includePersonalOverrides=true", []string{"shared"}},
		{V42025, "ann", "", []string{"ann's", "shared"}},
		{V42025, "bob", "", []string{"shared"}},
	} {
		seed := rich()
		s := New(t, Options{Profile: tt.profile, Seed: &seed})
		token, err := s.UserToken(tt.user)
		must(t, err)
		c := &client{t: t, s: s, token: token}
		var values []string
		for _, entry := range c.do("GET", "/api/v4/secrets"+v4(tt.query), nil).json["secrets"].([]any) {
			if sec := entry.(map[string]any); sec["secretKey"] == "P" {
				values = append(values, sec["secretValue"].(string))
			}
		}
		slices.Sort(values)
		if !slices.Equal(values, tt.want) {
			t.Errorf("%s, %s, %q: P = %q, want %q", tt.profile, tt.user, tt.query, values, tt.want)
		}
	}
}

// An ETag belongs to an identity and its parameters, not to a token, and comes
// back with 200 after the server forgot it.
func TestETags(t *testing.T) {
	for _, profile := range []Profile{Current, Legacy} {
		t.Run(string(profile), func(t *testing.T) {
			seed := rich()
			seed.Identities = append(seed.Identities, Identity{ClientID: "second", ClientSecret: "x"})
			s := New(t, Options{Profile: profile, Seed: &seed})
			path := "/api/v4/secrets" + v4("")
			if profile == Legacy {
				path = "/api/v3/secrets/raw?environment=dev&workspaceId=" + DefaultProjectID
			}
			list := func(identity, path, tag string) reply {
				t.Helper()
				token, err := s.Token(identity)
				must(t, err)
				c := &client{t: t, s: s, token: token}
				if tag != "" {
					c.extra = http.Header{"If-None-Match": {tag}}
				}
				return c.do("GET", path, nil)
			}
			first := list(DefaultClientID, path, "")
			tag := first.header.Get("Etag")
			if got := list(DefaultClientID, path, tag); got.status != 304 || got.text != "" || got.header.Get("Etag") != tag {
				t.Errorf("with a fresh token: %d %q, want 304", got.status, got.text)
			}
			for _, other := range []string{"W/" + tag, "*", `"x", ` + tag, strings.Trim(tag, `"`)} {
				if got := list(DefaultClientID, path, other); got.status != 200 {
					t.Errorf("If-None-Match: %s: %d, want 200", other, got.status)
				}
			}
			if got := list("second", path, tag); profile == Current && (got.status != 200 || got.header.Get("Etag") == tag) {
				t.Errorf("as another identity: %d", got.status)
			}
			if got := list(DefaultClientID, path+"&recursive=true", tag); got.status != 200 {
				t.Errorf("with other parameters: %d, want 200", got.status)
			}
			s.ForgetETags()
			got := list(DefaultClientID, path, tag)
			if want := map[Profile]int{Current: 200, Legacy: 304}[profile]; got.status != want || got.header.Get("Etag") != tag {
				t.Errorf("after forgetting: %d and tag %s, want %d and %s", got.status, got.header.Get("Etag"), want, tag)
			}
			must(t, s.Set(devRoot, "A", "new"))
			if got := list(DefaultClientID, path, tag); got.status != 200 || got.header.Get("Etag") == tag || got.values()["A"] != "new" {
				t.Errorf("after a change: %d", got.status)
			}
			if got, want := s.Count(KindList304), map[Profile]int{Current: 1, Legacy: 3}[profile]; got != want {
				t.Errorf("counted %d answers with 304, want %d", got, want)
			}
		})
	}
}
