package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infisync/source"
)

// canary is a value that must be found nowhere but in a vault's plaintext.
const canary = "canary'\"$\\\n\x00é-7f3a"

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	scopeA = source.Scope{
		URL: "https://vault.example/api", Method: "universal-auth", Identity: "id-1",
		Places: []source.Place{{Project: "p1", Environment: "dev", Path: "/"}}, Imports: true,
	}
	scopeB = source.Scope{
		URL: "https://vault.example/api", Method: "universal-auth", Identity: "id-1",
		Places: []source.Place{{Project: "p1", Environment: "prod", Path: "/"}}, Imports: true,
	}
)

func testKey(t testing.TB, secret string) Key {
	t.Helper()
	key, err := DeriveKey(source.NewValue(strings.Repeat(secret, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func set(pairs ...string) source.Set {
	var secrets []source.Secret
	for i := 0; i < len(pairs); i += 2 {
		secrets = append(secrets, source.Secret{Name: pairs[i], Value: source.NewValue(pairs[i+1])})
	}
	return source.NewSet(secrets...)
}

// sameContents compares values too, which print and compare as hidden.
var sameContents = cmp.Options{
	cmp.Comparer(func(a, b source.Value) bool { return a.Equal(b) }),
	cmp.Transformer("Set", func(s source.Set) []source.Secret {
		var secrets []source.Secret
		for secret := range s.All() {
			secrets = append(secrets, secret)
		}
		return secrets
	}),
}

// full returns contents in which nothing is left out.
func full(scope source.Scope) Contents {
	place := source.Place{Project: "p1", Environment: "dev", Path: "/app"}
	secret := source.Secret{
		Name: "DB", Value: source.NewValue(canary), Place: place, Version: 3,
		Updated: start, Imported: true, Hides: []source.Place{{Environment: "dev", Path: "/x"}},
	}
	gone := secret
	gone.Name = "GONE"
	return Contents{
		Scope: scope, Pulled: start, Set: source.NewSet(secret),
		Synced:   map[string]time.Time{"DB": start},
		Previous: map[string]Previous{"DB": {source.NewValue("old\xff\xfe"), start}},
		Orphans:  map[string]Orphan{"GONE": {gone, start}},
		Local:    map[string]Local{"b\xe9": {source.NewValue("\xff"), "/tmp/\xff.env", start}},
		Deleted:  []Deleted{{"DEL", source.NewValue(""), "set", time.Now().UTC().Round(0)}},
	}
}

func update(t testing.TB, dir string, key Key, scope source.Scope, edit func(*Contents)) string {
	t.Helper()
	aside, err := Update(t.Context(), dir, key, scope, func(c *Contents) error { edit(c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return aside
}

func TestUpdateOpen(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	want := full(scopeA)
	if aside := update(t, dir, key, scopeA, func(c *Contents) { *c = want }); aside != "" {
		t.Errorf("a new vault set %q aside", aside)
	}
	got, err := Open(Path(dir, key, scopeA), key, scopeA)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameContents); diff != "" {
		t.Errorf("opened (-sealed +opened):\n%s", diff)
	}
}

func TestOpenErrors(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	update(t, dir, key, scopeA, func(c *Contents) { *c = full(scopeA) })
	path := Path(dir, key, scopeA)
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		path  string
		key   Key
		scope source.Scope
		want  source.Code
	}{
		{"missing", path + "x", key, scopeA, source.CodeVaultMissing},
		{"other key", path, testKey(t, "o"), scopeA, source.CodeVaultKey},
		{"no key", path, Key{}, scopeA, source.CodeVaultNoKey},
		{"other scope", path, key, scopeB, source.CodeVaultScope},
		{"a folder", folder, key, scopeA, source.CodeStateDir},
	} {
		got, err := Open(test.path, test.key, test.scope)
		if source.CodeOf(err) != test.want {
			t.Errorf("%s: error %v, want code %s", test.name, err, test.want)
		}
		if diff := cmp.Diff(Contents{}, got, sameContents); diff != "" {
			t.Errorf("%s: contents beside the error:\n%s", test.name, diff)
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "canary") {
			t.Errorf("%s: the error holds a value", test.name)
		}
	}
	if _, err := Open(path+"x", key, scopeA); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v does not wrap fs.ErrNotExist", err)
	}
}
