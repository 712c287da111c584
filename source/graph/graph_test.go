package graph

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"infisync/source"
)

const (
	serverURL = "https://secrets.example/api"
	canary    = `ca"na'ry-` + "\n" + `7f3a`
)

var (
	devRoot = source.Place{Project: "p1", Environment: "dev", Path: "/"}
	devDB   = source.Place{Project: "p1", Environment: "dev", Path: "/db"}
	prod    = source.Place{Project: "p2", Environment: "prod", Path: "/"}
	noon    = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

func secret(name string, place source.Place, version int) source.Secret {
	return source.Secret{Name: name, Value: source.NewValue(canary), Place: place, Version: version}
}

// someFacts are two own secrets and an imported one.
func someFacts() Facts {
	imported := secret("SHARED", source.Place{Project: "p2", Environment: "dev", Path: "/shared"}, 0)
	imported.Imported = true
	return Facts{
		Scope: source.Scope{URL: serverURL, Places: []source.Place{devRoot}},
		Host:  "web-1",
		Projects: []Project{
			{ID: "p1", Name: "shop", Environments: []string{"dev", "prod"}},
			{ID: "p2", Name: "base", Environments: []string{"prod"}},
			{ID: "p3", Name: "unused"},
		},
		Set:    source.NewSet(secret("API_KEY", devRoot, 3), secret("DB_URL", devDB, 1), imported),
		At:     noon,
		Synced: map[string]time.Time{"API_KEY": noon.Add(-time.Hour)},
	}
}

func update(t *testing.T, dir string, facts Facts) (rebuilt bool) {
	t.Helper()
	rebuilt, err := Update(t.Context(), dir, facts)
	if err != nil {
		t.Fatal(err)
	}
	return rebuilt
}

func load(t *testing.T, dir string) Graph {
	t.Helper()
	g, damaged, err := Load(dir)
	if err != nil || len(damaged) > 0 {
		t.Fatalf("Load: damaged %q, %v", damaged, err)
	}
	return g
}

// ask returns the IDs of the entities that q selects.
func ask(t *testing.T, g Graph, q Query) []string {
	t.Helper()
	answer, err := g.Select(q)
	if err != nil {
		t.Fatalf("Select(%+v): %v", q, err)
	}
	ids := []string{}
	for _, e := range answer.Entities {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestUpdateMakesTheGraph(t *testing.T) {
	dir := t.TempDir()
	facts := someFacts()
	update(t, dir, facts)
	folder := facts.Scope.Folder()
	vault := "web-1:" + folder
	want := Graph{
		Entities: []Entity{
			{Type: TypeService, ID: serverURL, URL: serverURL},
			{Type: TypeProject, ID: "p1", Name: "shop", Environments: []string{"dev", "prod"}},
			{Type: TypeProject, ID: "p2", Name: "base", Environments: []string{"prod", "dev"}},
			{Type: TypeProject, ID: "p3", Name: "unused"},
			{Type: TypeVault, ID: vault, Host: "web-1", Scope: folder},
			{Type: TypeSecret, ID: "p1:dev:/:API_KEY", Name: "API_KEY", Project: "p1", Environment: "dev", Path: "/", Version: 3, LastSynced: noon.Add(-time.Hour)},
			{Type: TypeSecret, ID: "p1:dev:/db:DB_URL", Name: "DB_URL", Project: "p1", Environment: "dev", Path: "/db", Version: 1, LastSynced: noon},
			{Type: TypeSecret, ID: "p2:dev:/shared:SHARED", Name: "SHARED", Project: "p2", Environment: "dev", Path: "/shared", LastSynced: noon},
		},
		Relations: []Relation{
			{BelongsTo, "p1:dev:/:API_KEY", "p1"},
			{BelongsTo, "p1:dev:/db:DB_URL", "p1"},
			{BelongsTo, "p2:dev:/shared:SHARED", "p2"},
			{HostedBy, "p1", serverURL},
			{HostedBy, "p2", serverURL},
			{HostedBy, "p3", serverURL},
			{SyncedTo, "p1:dev:/:API_KEY", vault},
			{SyncedTo, "p1:dev:/db:DB_URL", vault},
			{SyncedTo, "p2:dev:/shared:SHARED", vault},
			{ImportedFrom, "p2:dev:/shared:SHARED", "p2"},
		},
	}
	if diff := cmp.Diff(want, load(t, dir), cmpopts.IgnoreUnexported(Graph{})); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
	info, err := os.Stat(Path(dir, facts.Scope))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("graph file: mode %v, %v, want 0600", info.Mode(), err)
	}
}

// What a sync did not ask about stays; what it found gone goes.
func TestUpdateReplaces(t *testing.T) {
	dir := t.TempDir()
	facts := someFacts()
	update(t, dir, facts)
	facts.Projects = nil
	facts.Set = source.NewSet(secret("API_KEY", devRoot, 4))
	update(t, dir, facts)
	g := load(t, dir)
	if got := ask(t, g, Query{Type: TypeSecret}); !slices.Equal(got, []string{"p1:dev:/:API_KEY"}) {
		t.Errorf("secrets after the second sync: %q", got)
	}
	if got := ask(t, g, Query{Type: TypeProject, Name: "unused"}); !slices.Equal(got, []string{"p3"}) {
		t.Errorf("a project known from the first sync: %q, want p3", got)
	}
	facts.Projects = []Project{{ID: "p2", Name: "renamed"}}
	update(t, dir, facts)
	g = load(t, dir)
	// p1 was not told, but the scope's place is in it.
	if got := ask(t, g, Query{Type: TypeProject}); !slices.Equal(got, []string{"p1", "p2"}) {
		t.Errorf("projects after the third sync: %q", got)
	}
	if got := ask(t, g, Query{Name: "renamed"}); !slices.Equal(got, []string{"p2"}) {
		t.Errorf("the renamed project: %q", got)
	}
}

func TestSelect(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, someFacts())
	g := load(t, dir)
	const key, db, shared = "p1:dev:/:API_KEY", "p1:dev:/db:DB_URL", "p2:dev:/shared:SHARED"
	vault := "web-1:" + someFacts().Scope.Folder()
	tests := []struct {
		q    Query
		want []string
	}{
		{Query{Type: TypeSecret}, []string{key, db, shared}},
		{Query{Type: TypeProject}, []string{"p1", "p2", "p3"}},
		{Query{Relation: BelongsTo, Target: "p1"}, []string{key, db}},
		{Query{Relation: BelongsTo, Target: "shop"}, []string{key, db}},
		{Query{Relation: BelongsTo, Target: "p3"}, []string{}},
		{Query{Relation: BelongsTo, Target: "p4"}, []string{}},
		{Query{Relation: ImportedFrom}, []string{shared}},
		{Query{Relation: SyncedTo, Target: vault, Name: "*_*"}, []string{key, db}},
		{Query{Target: serverURL}, []string{"p1", "p2", "p3"}},
		{Query{Type: TypeSecret, Target: serverURL}, []string{}},
		{Query{Name: "DB_*"}, []string{db}},
		{Query{Type: TypeVault, Name: "web-?"}, []string{vault}},
		{Query{}, []string{serverURL, "p1", "p2", "p3", vault, key, db, shared}},
	}
	for _, test := range tests {
		if got := ask(t, g, test.q); !slices.Equal(got, test.want) {
			t.Errorf("Select(%+v) = %q, want %q", test.q, got, test.want)
		}
	}
	for _, q := range []Query{{Type: "secrets"}, {Relation: "belongs"}, {Name: "[a"}} {
		if _, err := g.Select(q); source.CodeOf(err) != source.CodeUsage {
			t.Errorf("Select(%+v): %v, want a usage error", q, err)
		}
	}
	answer, err := g.Select(Query{Relation: BelongsTo, Target: "p2"})
	if want := []Relation{{BelongsTo, shared, "p2"}}; err != nil || !slices.Equal(answer.Relations, want) {
		t.Errorf("relations %v, %v, want %v", answer.Relations, err, want)
	}
	// A selection can be narrowed again, also by what its targets are called.
	if got := ask(t, answer, Query{Target: "base"}); !slices.Equal(got, []string{shared}) {
		t.Errorf("selected twice: %q", got)
	}
}

// Two scopes that know the same secret and project are one graph.
func TestLoadMerges(t *testing.T) {
	dir := t.TempDir()
	first := someFacts()
	update(t, dir, first)
	second := Facts{
		Scope: source.Scope{URL: "http://10.0.0.1/api", Places: []source.Place{devRoot, prod}},
		Host:  "web-1",
		Set:   source.NewSet(secret("API_KEY", devRoot, 4), secret("ONLY_HERE", prod, 1)),
		At:    noon.Add(time.Hour),
	}
	update(t, dir, second)
	g := load(t, dir)
	i := slices.IndexFunc(g.Entities, func(e Entity) bool { return e.Name == "API_KEY" })
	if got := g.Entities[i]; got.Version != 4 || !got.LastSynced.Equal(second.At) {
		t.Errorf("API_KEY has version %d of %v, want that of the later sync", got.Version, got.LastSynced)
	}
	if got := ask(t, g, Query{Name: "API_KEY"}); len(got) != 1 {
		t.Errorf("API_KEY is there %d times", len(got))
	}
	answer, err := g.Select(Query{Relation: SyncedTo, Name: "API_KEY"})
	if err != nil || len(answer.Relations) != 2 {
		t.Errorf("API_KEY is synced to %v, %v, want both vaults", answer.Relations, err)
	}
	answer, err = g.Select(Query{Relation: HostedBy, Name: "shop"})
	if err != nil || len(answer.Entities) != 1 || len(answer.Relations) != 2 {
		t.Errorf("project shop is hosted by %v, %v, want both URLs", answer.Relations, err)
	}
	if want := []string{"dev", "prod"}; !slices.Equal(answer.Entities[0].Environments, want) {
		t.Errorf("environments %q, want %q", answer.Entities[0].Environments, want)
	}

	// The later value counts, also in the graph that was written earlier.
	second.At = noon.Add(-time.Minute)
	update(t, dir, second)
	if got := load(t, dir).Entities[i]; got.Version != 4 {
		t.Errorf("API_KEY has version %d, want 4, which was synced last", got.Version)
	}
}

func TestDelete(t *testing.T) {
	dir := t.TempDir()
	first, second := someFacts(), someFacts()
	second.Scope.Recursive = true
	update(t, dir, first)
	update(t, dir, second)
	if err := Delete(t.Context(), dir, devRoot, "API_KEY", "NEVER_THERE"); err != nil {
		t.Fatal(err)
	}
	g := load(t, dir)
	if got := ask(t, g, Query{Type: TypeSecret, Name: "API_KEY"}); len(got) > 0 {
		t.Errorf("deleted and still there: %q", got)
	}
	for _, r := range g.Relations {
		if strings.Contains(r.From, "API_KEY") {
			t.Errorf("a relation of the deleted secret is left: %v", r)
		}
	}
	// The same name elsewhere is another secret.
	if err := Delete(t.Context(), dir, devRoot, "DB_URL"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, load(t, dir), Query{Name: "DB_URL"}); len(got) != 1 {
		t.Errorf("DB_URL of another folder was deleted")
	}
	if err := Delete(t.Context(), filepath.Join(dir, "missing"), devRoot, "API_KEY"); err != nil {
		t.Errorf("deleting without a state directory: %v", err)
	}
}

// A colon in a name does not make two secrets one.
func TestIDsAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, place := range []source.Place{{Project: "p", Environment: "e", Path: "/a"}, {Project: "p", Environment: "e", Path: "/a:b"}, {Project: "p:e", Path: "/a"}} {
		for _, name := range []string{"b:c", "c", "b%3Ac"} {
			id := secretID(place, name)
			if seen[id] {
				t.Errorf("%+v %q has the ID of another: %q", place, name, id)
			}
			seen[id] = true
		}
	}
}
