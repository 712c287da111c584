package infisicaltest

import (
	"maps"
	"slices"
	"testing"

	"infisync/source"
)

func TestImports(t *testing.T) {
	dev := func(path string, secrets []Secret, imports ...Import) Folder {
		return Folder{Environment: "dev", Path: path, Secrets: secrets, Imports: imports}
	}
	one := func(name, value string) []Secret { return []Secret{{Name: name, Value: value}} }
	from := func(path string) Import { return Import{Environment: "dev", Path: path} }
	for _, tt := range []struct {
		name    string
		folders []Folder
		query   string
		want    []map[string]string
		old     []map[string]string // nil: the same
	}{
		{
			name:    "in their order, not merged",
			folders: []Folder{dev("/", one("X", "own"), from("/a"), from("/b")), dev("/a", one("X", "a")), dev("/b", one("X", "b"))},
			want:    []map[string]string{{"X": "a"}, {"X": "b"}},
		},
		{
			name:    "a missing folder",
			folders: []Folder{dev("/", nil, from("/gone"), from("/a")), dev("/a", one("X", "a"))},
			want:    []map[string]string{{}, {"X": "a"}},
			old:     []map[string]string{{"X": "a"}, {}},
		},
		{
			name: "chained",
			folders: []Folder{
				dev("/", nil, from("/a")), dev("/a", one("X", "a"), from("/b")),
				dev("/b", one("Y", "b"), from("/c")), dev("/c", one("Z", "c")),
			},
			want: []map[string]string{{"X": "a", "Y": "b", "Z": "c"}},
		},
		{
			name: "several of an import's own",
			folders: []Folder{
				dev("/", nil, from("/a")), dev("/a", one("X", "a"), from("/b"), from("/c")),
				dev("/b", one("Y", "b")), dev("/c", one("Z", "c")),
			},
			want: []map[string]string{{"X": "a", "Y": "b", "Z": "c"}},
			old:  []map[string]string{{"X": "a", "Y": "b"}},
		},
		{
			name:    "a cycle",
			folders: []Folder{dev("/", one("X", "own"), from("/a")), dev("/a", one("Y", "a"), from("/"), from("/a"))},
			want:    []map[string]string{{"Y": "a", "X": "own"}},
		},
		{
			name: "one folder by two ways",
			folders: []Folder{
				dev("/", nil, from("/a"), from("/b")), dev("/a", nil, from("/c")), dev("/b", nil, from("/c")), dev("/c", one("Z", "c")),
			},
			want: []map[string]string{{"Z": "c"}, {"Z": "c"}},
		},
	} {
		for _, profile := range []Profile{Current, Legacy} {
			t.Run(tt.name+"/"+string(profile), func(t *testing.T) {
				seed := DefaultSeed()
				seed.Folders = tt.folders
				s := New(t, Options{Profile: profile, Seed: &seed})
				path, want := "/api/v4/secrets"+v4(""), tt.want
				if profile == Legacy {
					path = "/api/v3/secrets/raw?environment=dev&include_imports=true&workspaceId=" + DefaultProjectID
					if tt.old != nil {
						want = tt.old
					}
				}
				got := loggedIn(t, s).do("GET", path, nil)
				if !slices.EqualFunc(got.importedValues(), want, maps.Equal) {
					t.Errorf("%d %v, want %v", got.status, got.importedValues(), want)
				}
			})
		}
	}
}

// A get looks into the imports from the last one on.
func TestGetImported(t *testing.T) {
	s := New(t, Options{})
	for _, env := range []string{"staging", "prod"} {
		must(t, s.Set(source.Place{Environment: env}, "X", env))
		must(t, s.Import(devRoot, Import{Environment: env}))
	}
	c := loggedIn(t, s)
	value := func(query string) any {
		sec, _ := c.do("GET", "/api/v4/secrets/X"+v4(query), nil).json["secret"].(map[string]any)
		return sec["secretValue"]
	}
	if got := value(""); got != "prod" {
		t.Errorf("X = %v, want that of the last import", got)
	}
	if got := value("&includeImports=false"); got != nil {
		t.Errorf("without imports X = %v, want none", got)
	}
	must(t, s.Set(devRoot, "X", "own"))
	if got := value(""); got != "own" {
		t.Errorf("X = %v, want its own", got)
	}
}

func TestExpansion(t *testing.T) {
	s := New(t, Options{})
	must(t, s.Set(source.Place{Environment: "prod", Path: "/db/main"}, "PASS", "secret${SUFFIX}"))
	must(t, s.Set(source.Place{Environment: "prod", Path: "/db/main"}, "SUFFIX", "!"))
	must(t, s.Set(source.Place{Environment: "prod"}, "TOP", "top"))
	want := map[string]string{
		"PLAIN": "x", "LOCAL": "${PLAIN}${PLAIN}", "SPACED": "${ PLAIN }", "FAR": "${prod.db.main.PASS}", "ROOT": "${prod.TOP}",
		"NOTHING": "${NOPE} ${nope.TOP} ${}", "OPEN": "${PLAIN", "SELF": "${SELF}", "LOOP_A": "a${LOOP_B}", "LOOP_B": "b${LOOP_A}",
		"ESCAPED": `\${PLAIN} $${PLAIN}`, "DOLLARS": "$PLAIN $2a$10$",
	}
	must(t, s.SetAll(devRoot, want))
	for name, expanded := range map[string]string{
		"LOCAL": "xx", "SPACED": "x", "FAR": "secret!", "ROOT": "top",
		"LOOP_A": "ab${LOOP_A}", "LOOP_B": "ba${LOOP_B}", "ESCAPED": `\x $x`,
	} {
		want[name] = expanded
	}
	if got := loggedIn(t, s).do("GET", "/api/v4/secrets"+v4(""), nil).values(); !maps.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestExpansionOfWhatMayNotBeRead(t *testing.T) {
	seed := DefaultSeed()
	seed.Identities[0].Deny = []source.Place{{Environment: "prod"}}
	s := New(t, Options{Seed: &seed})
	must(t, s.Set(source.Place{Environment: "prod"}, "P", "p"))
	must(t, s.Set(devRoot, "REF", "${prod.P}"))
	c := loggedIn(t, s)
	if got := c.do("GET", "/api/v4/secrets"+v4(""), nil); got.status != 403 || got.json["details"] == nil {
		t.Errorf("expanded: %d %s, want 403 with details", got.status, got.text)
	}
	if got := c.do("GET", "/api/v4/secrets"+v4("&expandSecretReferences=false"), nil); got.values()["REF"] != "${prod.P}" {
		t.Errorf("as it is: %d %s", got.status, got.text)
	}
	if got := c.do("POST", "/api/v4/secrets/NEW", body("secretValue", "${prod.P}")); got.status != 403 {
		t.Errorf("writing such a reference: %d, want 403", got.status)
	}
}
