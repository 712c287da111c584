package vault

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// What is remembered of a vault counts as long as the file is the one that was opened,
// and is not changed by what is done with it.
func TestSeen(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	path := Path(dir, key, scopeA)
	put := func(name string) func(*Contents) error {
		return func(c *Contents) error { c.SetLocal(name, source.NewValue("1"), "set", time.Now()); return nil }
	}
	local := func(c Contents) string { return strings.Join(slices.Sorted(maps.Keys(c.Local)), " ") }
	if _, err := Update(t.Context(), dir, key, scopeA, put("A")); err != nil {
		t.Fatal(err)
	}
	var seen Seen
	for _, change := range []string{"B", ""} {
		contents, err := seen.Open(path, key, scopeA)
		if err != nil {
			t.Fatal(err)
		}
		put("mine")(&contents)
		if change != "" { // by somebody else
			if _, err := Update(t.Context(), dir, key, scopeA, put(change)); err != nil {
				t.Fatal(err)
			}
		}
		before := ""
		_, err = seen.Update(t.Context(), dir, key, scopeA, func(c *Contents) error {
			before = local(*c)
			return put("C")(c)
		})
		if want := map[string]string{"B": "A B", "": "A B C"}[change]; err != nil || before != want {
			t.Errorf("after %q was set, an update begins with %q, %v; want %q", change, before, err, want)
		}
	}
	if contents, err := Open(path, key, scopeA); err != nil || local(contents) != "A B C" {
		t.Errorf("the vault holds %q, %v", local(contents), err)
	}
	if _, err := seen.Open(path, key, scopeA); err != nil {
		t.Fatal(err)
	}
	if _, err := seen.Open(path, key, scopeB); source.CodeOf(err) != source.CodeVaultScope {
		t.Errorf("opened for another scope: %v", err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if contents, err := seen.Open(path, key, scopeA); source.CodeOf(err) != source.CodeVaultKey || local(contents) != "" {
		t.Errorf("opened a damaged vault as remembered: %q, %v", local(contents), err)
	}
}
