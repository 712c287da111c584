package source

import (
	"slices"
	"testing"
	"time"
)

func secret(name, value string, place Place) Secret {
	return Secret{Name: name, Value: NewValue(value), Place: place}
}

func TestMergeRanks(t *testing.T) {
	at := func(path string) Place { return Place{"p", "dev", path} }
	other := Place{"p", "prod", "/"}
	newer := secret("A", "newer", at("/x"))
	newer.Updated = time.Unix(2, 0)
	older := secret("A", "older", at("/x"))
	older.Updated = time.Unix(1, 0)

	tests := []struct {
		name     string
		listings []Listing
		want     string
		hides    []Place
	}{
		{"later place wins", []Listing{
			{Place: at("/1"), Own: []Secret{secret("A", "first", at("/1"))}},
			{Place: at("/2"), Own: []Secret{secret("A", "second", at("/2"))}},
		}, "second", []Place{at("/1")}},
		{"later place's import beats an earlier own", []Listing{
			{Place: at("/1"), Own: []Secret{secret("A", "own", at("/1"))}},
			{Place: at("/2"), Imports: []Import{{other, []Secret{secret("A", "imported", other)}}}},
		}, "imported", []Place{at("/1")}},
		{"own beats imported", []Listing{
			{Own: []Secret{secret("A", "own", at("/"))}, Imports: []Import{{other, []Secret{secret("A", "imported", other)}}}},
		}, "own", []Place{other}},
		{"last import wins", []Listing{{Imports: []Import{
			{at("/i"), []Secret{secret("A", "first", at("/i"))}},
			{other, []Secret{secret("A", "last", other)}},
		}}}, "last", []Place{at("/i")}},
		{"in one import the first wins", []Listing{{Imports: []Import{
			{other, []Secret{secret("A", "direct", other), secret("A", "nested", other)}},
		}}}, "direct", []Place{other}},
		{"nearest folder wins", []Listing{{Own: []Secret{
			secret("A", "deep", at("/a/b")), secret("A", "near", at("/z")),
		}}}, "near", []Place{at("/a/b")}},
		{"then the path that sorts first", []Listing{{Own: []Secret{
			secret("A", "z", at("/z")), secret("A", "a", at("/a")),
		}}}, "a", []Place{at("/z")}},
		{"then the one updated last", []Listing{{Own: []Secret{older, newer}}}, "newer", []Place{at("/x")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Merge(test.listings).Get("A")
			if !ok || got.Value.Reveal() != test.want {
				t.Errorf("got %q, want %q", got.Value.Reveal(), test.want)
			}
			if !slices.Equal(got.Hides, test.hides) {
				t.Errorf("hides %v, want %v", got.Hides, test.hides)
			}
		})
	}
}

func TestMergeMarksImported(t *testing.T) {
	other := Place{"p", "prod", "/"}
	set := Merge([]Listing{{
		Own:     []Secret{secret("OWN", "1", Place{"p", "dev", "/"})},
		Imports: []Import{{other, []Secret{secret("IMPORTED", "2", other)}}},
	}})
	for name, want := range map[string]bool{"OWN": false, "IMPORTED": true} {
		if got, _ := set.Get(name); got.Imported != want {
			t.Errorf("%s: imported = %v, want %v", name, got.Imported, want)
		}
	}
}

func TestSet(t *testing.T) {
	set := NewSet(secret("B", "1", Place{}), secret("A", "2", Place{}), secret("B", "3", Place{}))
	if got, want := set.String(), "A B"; got != want {
		t.Errorf("names %q, want %q", got, want)
	}
	if b, _ := set.Get("B"); b.Value.Reveal() != "3" {
		t.Errorf("B = %q, want the last, 3", b.Value.Reveal())
	}
	if _, ok := set.Get("C"); ok {
		t.Error("found a secret that is not there")
	}
	smaller := NewSet(secret("A", "2", Place{}))
	if lost := set.Lost(smaller); !slices.Equal(lost, []string{"B"}) {
		t.Errorf("lost %v, want B", lost)
	}
	if set.Equal(smaller) || !set.Equal(NewSet(slices.Collect(set.All())...)) {
		t.Error("Equal is wrong")
	}
	if (Set{}).Len() != 0 || len((Set{}).Names()) != 0 {
		t.Error("the zero Set is not empty")
	}
}

func TestParsePlace(t *testing.T) {
	tests := []struct {
		in   string
		want Place
		ok   bool
	}{
		{"dev", Place{"", "dev", "/"}, true},
		{"dev:/", Place{"", "dev", "/"}, true},
		{"dev:/a/b/", Place{"", "dev", "/a/b"}, true},
		{"p1:dev:/a", Place{"p1", "dev", "/a"}, true},
		{"p1:dev", Place{"p1", "dev", "/"}, true},
		{"", Place{}, false},
		{"/a", Place{}, false},
		{":dev", Place{}, false},
		{"a:b:c", Place{}, false},
		{"a:b:c:/d", Place{}, false},
	}
	for _, test := range tests {
		got, err := ParsePlace(test.in)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("ParsePlace(%q) = %+v, %v, want %+v, ok %v", test.in, got, err, test.want, test.ok)
		}
	}
}

func TestScope(t *testing.T) {
	scope := Scope{URL: "https://h/api", Method: "universal-auth", Identity: "id", Imports: true,
		Places: []Place{{"p", "dev", "/"}, {"p", "../prod", "/a"}}}
	other := scope
	other.Recursive = true
	if scope.ID() == other.ID() {
		t.Error("two scopes with different flags have one ID")
	}
	if got, want := scope.Folder(), "dev-"+scope.ID(); got != want {
		t.Errorf("folder %q, want %q", got, want)
	}
	hostile := Scope{Places: []Place{{"p", "../../etc", "/"}}}
	if folder := hostile.Folder(); folder != "______etc-"+hostile.ID() {
		t.Errorf("an environment with slashes gives the folder %q", folder)
	}
	if scope.Environment() != "dev,../prod" || !slices.Equal(scope.Projects(), []string{"p"}) {
		t.Errorf("environment %q, projects %v", scope.Environment(), scope.Projects())
	}
	for _, known := range []Scope{{}, {URL: "https://h/api"}, {Places: []Place{{"", "dev", ""}, {"p", "", "/a"}}}} {
		if !scope.Matches(known) {
			t.Errorf("does not match %+v", known)
		}
	}
	for _, known := range []Scope{{URL: "https://x/api"}, {Identity: "x"}, {Places: []Place{{"p", "dev", "/"}}}, {Places: []Place{{"p", "prod", ""}, {}}}} {
		if scope.Matches(known) {
			t.Errorf("matches %+v", known)
		}
	}
}
