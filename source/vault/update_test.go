package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/state/disk"
)

// names returns what is in dir, but not the lock.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Name() != disk.WriteLock {
			names = append(names, entry.Name())
		}
	}
	return names
}

// What is stored is for its owner only and holds no value in plain.
func TestUpdateHidesValues(t *testing.T) {
	dir, key := filepath.Join(t.TempDir(), "made", "by", "update"), testKey(t, "k")
	update(t, dir, key, scopeA, func(c *Contents) { *c = full(scopeA) })
	needles := []string{canary, "canary", hex.EncodeToString([]byte("canary")), base64.StdEncoding.EncodeToString([]byte("canary"))}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		if entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		for _, needle := range needles {
			if bytes.Contains(data, []byte(needle)) || strings.Contains(path, needle) {
				t.Errorf("%s holds a value in plain", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	id := key.ID()
	if got, want := names(t, filepath.Join(dir, scopeA.Folder())), []string{"vault." + id + ".age", "vault." + id + ".local"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestUpdateMarksLocalValues(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	marked := func() bool {
		_, err := os.Stat(markerPath(Path(dir, key, scopeA)))
		return err == nil
	}
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1"), start) })
	if marked() {
		t.Error("marked without a local value")
	}
	update(t, dir, key, scopeA, func(c *Contents) { c.SetLocal("B", source.NewValue("1"), "set", start) })
	if !marked() {
		t.Error("not marked with a local value")
	}
	update(t, dir, key, scopeA, func(c *Contents) { c.Delete("B", start) })
	if marked() {
		t.Error("still marked when the local value is gone")
	}
}

func TestUpdateErrorChangesNothing(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	update(t, dir, key, scopeA, func(c *Contents) { *c = full(scopeA) })
	path := Path(dir, key, scopeA)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("no")
	for _, altered := range [][]byte{before, before[:100]} {
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		aside, err := Update(t.Context(), dir, key, scopeA, func(c *Contents) error { c.Set = source.Set{}; return want })
		if err != want || aside != "" {
			t.Errorf("Update = %q, %v, want the error of edit", aside, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, altered) {
			t.Errorf("the vault was changed (%v)", err)
		}
	}
	if _, err := Update(t.Context(), dir, Key{}, scopeA, func(*Contents) error { return nil }); source.CodeOf(err) != source.CodeVaultNoKey {
		t.Errorf("zero key: %v", err)
	}
}

// Without the marker that keeps it from being swept, no local value is written.
func TestUpdateThatCannotWrite(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	path := Path(dir, key, scopeA)
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1"), start) })
	if err := os.Mkdir(markerPath(path), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Update(t.Context(), dir, key, scopeA, func(c *Contents) error {
		c.SetLocal("B", source.NewValue(canary), "set", start)
		return nil
	})
	if source.CodeOf(err) != source.CodeStateDir || !strings.HasPrefix(err.Error(), "writing the vault: ") || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
	if got, err := Open(path, key, scopeA); err != nil || len(got.Local) != 0 || got.Set.Len() != 1 {
		t.Errorf("the vault holds %+v, %v", got, err)
	}
}

func TestUpdateWaitsForLock(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	unlock, err := disk.Lock(t.Context(), filepath.Join(dir, scopeA.Folder(), disk.WriteLock))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	done := make(chan error)
	go func() {
		_, err := Update(ctx, dir, key, scopeA, func(*Contents) error { t.Error("edit was called under another's lock"); return nil })
		done <- err
	}()
	cancel(why)
	if err := <-done; !errors.Is(err, why) || source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("error %v, want one that wraps the context's cause", err)
	}
	unlock()
	update(t, dir, key, scopeA, func(*Contents) {})
}

// A vault that does not open is renamed, and three of them are kept.
func TestUpdateSetsAside(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	path := Path(dir, key, scopeA)
	var asides []string
	for i, bad := range []string{"", "x", "age-encryption.org/v1\n", "y", "z"} {
		update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1"), start) })
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, key, scopeA); source.CodeOf(err) != source.CodeVaultKey {
			t.Errorf("%q opens: %v", bad, err)
		}
		if got := len(names(t, filepath.Dir(path))); got != 1+min(i, 3) {
			t.Errorf("reading changed the files: %q", names(t, filepath.Dir(path)))
		}
		aside := update(t, dir, key, scopeA, func(c *Contents) {
			if c.Set.Len() != 0 || !sameScope(c.Scope, scopeA) {
				t.Errorf("contents after a bad vault: %+v", c)
			}
		})
		if got, err := os.ReadFile(aside); err != nil || string(got) != bad {
			t.Errorf("set aside as %q: %q, %v, want %q", aside, got, err, bad)
		}
		asides = append(asides, filepath.Base(aside))
	}
	want := append([]string{filepath.Base(path)}, asides[2:]...)
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// Two vaults of one key that change places open for neither scope, and are set
// aside rather than overwritten.
func TestSwappedScopes(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	a, b := Path(dir, key, scopeA), Path(dir, key, scopeB)
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1"), start) })
	update(t, dir, key, scopeB, func(c *Contents) { c.ApplyPull(set("B", "1"), start) })
	for _, move := range [][2]string{{a, dir + "/x"}, {b, a}, {dir + "/x", b}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	for path, scope := range map[string]source.Scope{a: scopeA, b: scopeB} {
		if got, err := Open(path, key, scope); source.CodeOf(err) != source.CodeVaultScope || !reflect.DeepEqual(got, Contents{}) {
			t.Errorf("opened in a foreign folder: %+v, %v", got, err)
		}
		aside := update(t, dir, key, scope, func(c *Contents) {
			if c.Set.Len() != 0 {
				t.Errorf("contents of another scope: %v", c.Set)
			}
		})
		if aside == "" {
			t.Error("a foreign vault was overwritten")
		}
	}
	found, missed, err := Find(dir, key, source.Scope{})
	if err != nil || missed != nil || len(found) != 2 {
		t.Errorf("found %d vaults, %v", len(found), err)
	}
}

func TestUpdateKeepsNewerFormat(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	path := Path(dir, key, scopeA)
	update(t, dir, key, scopeA, func(*Contents) {})
	sealed, err := sealPayload([]byte(`{"format":2}`), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Update(t.Context(), dir, key, scopeA, func(*Contents) error { t.Error("edit was called"); return nil })
	if source.CodeOf(err) != source.CodeVaultFormat {
		t.Errorf("error %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, sealed) {
		t.Errorf("a newer vault was changed (%v)", err)
	}
}

func TestUpdateSweepsUnfinishedFiles(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	path := Path(dir, key, scopeA)
	update(t, dir, key, scopeA, func(*Contents) {})
	folder, base := filepath.Split(path)
	others := []string{".other1", "." + base + "x", "." + base}
	for _, name := range append(others, "."+base+"1", "."+base+"8446744073709551615") {
		if err := os.WriteFile(folder+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	update(t, dir, key, scopeA, func(*Contents) {})
	want := append(others, base)
	slices.Sort(want)
	if got := names(t, folder); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}

func TestFind(t *testing.T) {
	dir, key := t.TempDir(), testKey(t, "k")
	if found, missed, err := Find(filepath.Join(dir, "none"), key, source.Scope{}); err != nil || missed != nil || found != nil {
		t.Errorf("without a state directory: %v, %v, %v", found, missed, err)
	}
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1"), day(1)) })
	update(t, dir, key, scopeB, func(c *Contents) { c.ApplyPull(set("B", "1"), day(2)) })
	update(t, dir, testKey(t, "o"), scopeA, func(c *Contents) { c.ApplyPull(set("O", "1"), day(3)) })
	for _, test := range []struct {
		name  string
		known source.Scope
		want  []string
	}{
		{"nothing known", source.Scope{}, []string{"B", "A"}},
		{"environment", source.Scope{Places: []source.Place{{Environment: "dev"}}}, []string{"A"}},
		{"all", scopeB, []string{"B"}},
		{"none fits", source.Scope{URL: "https://elsewhere/api"}, nil},
	} {
		found, _, err := Find(dir, key, test.known)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Contents.Set.Names()...)
			if f.Path != Path(dir, key, f.Contents.Scope) {
				t.Errorf("%s: path %q", test.name, f.Path)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: found %q, want %q", test.name, got, test.want)
		}
	}
	if _, _, err := Find(dir, Key{}, source.Scope{}); source.CodeOf(err) != source.CodeVaultNoKey {
		t.Errorf("zero key: %v", err)
	}
	file := Path(dir, key, scopeA)
	if _, _, err := Find(file, key, source.Scope{}); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("a file for a state directory: %v", err)
	}
}

// What is there and cannot be taken is told from what is not there.
func TestFindMissed(t *testing.T) {
	key, dev, prod := testKey(t, "k"), source.Place{Environment: scopeA.Places[0].Environment}, source.Place{Environment: scopeB.Places[0].Environment}
	write := func(t *testing.T, path string, data []byte) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		place source.Place // what is known
		fill  func(t *testing.T, dir, path string)
		found int
		want  source.Code // of what was missed; empty: nothing was
	}{
		{"nothing", dev, func(*testing.T, string, string) {}, 0, ""},
		{"truncated", dev, func(t *testing.T, _, path string) { write(t, path, []byte("age-encryption.org/v1\n")) }, 0, source.CodeVaultKey},
		{"empty", source.Place{}, func(t *testing.T, _, path string) { write(t, path, nil) }, 0, source.CodeVaultKey},
		{"another environment's", prod, func(t *testing.T, _, path string) { write(t, path, nil) }, 0, ""},
		{"unreadable", dev, func(t *testing.T, _, path string) { write(t, filepath.Join(path, "file"), nil) }, 0, source.CodeStateDir},
		{"beside a good one", source.Place{}, func(t *testing.T, dir, path string) {
			write(t, path, nil)
			update(t, dir, key, scopeB, func(*Contents) {})
		}, 1, source.CodeVaultKey},
		{"copied", dev, func(t *testing.T, dir, path string) {
			update(t, dir, key, scopeB, func(*Contents) {})
			sealed, err := os.ReadFile(Path(dir, key, scopeB))
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, sealed)
		}, 0, source.CodeVaultScope},
		{"another key's", dev, func(t *testing.T, dir, _ string) {
			update(t, dir, testKey(t, "o"), scopeA, func(*Contents) {})
			update(t, dir, testKey(t, "o"), scopeB, func(*Contents) {})
		}, 0, source.CodeVaultMissing},
		{"no folder", source.Place{}, func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, "note"), nil) }, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			test.fill(t, dir, Path(dir, key, scopeA))
			found, missed, err := Find(dir, key, source.Scope{Places: []source.Place{test.place}})
			if err != nil || len(found) != test.found || source.CodeOf(missed) != test.want {
				t.Errorf("found %d, missed %v, error %v, want %d and code %q", len(found), missed, err, test.found, test.want)
			}
			if missed != nil && test.want == source.CodeVaultMissing && !strings.Contains(missed.Error(), "(1 of another key)") {
				t.Errorf("missed %v", missed)
			}
		})
	}
}
