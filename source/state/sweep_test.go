package state

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

// scopeFolder begins the names of folders in these tests: 1 is dev-00000001.
const scopeFolder = "dev-0000000"

// fill makes files below dir, each named "path" or "path old": not touched for
// longer than it is kept.
func fill(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		name, old := strings.CutSuffix(file, " old")
		path := filepath.Join(dir, long(name))
		if err := disk.MakeDir(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if old {
			age(t, path, keepUntouched+time.Minute)
		}
	}
}

// long gives scopes' folders their names, short takes them away.
func long(path string) string {
	if path[0] == '1' || path[0] == '2' {
		return scopeFolder + path
	}
	return path
}

func short(dir, path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, dir+"/"), scopeFolder)
}

// tree returns the files below dir, sorted.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, short(dir, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

func TestSweep(t *testing.T) {
	for _, test := range []struct {
		name        string
		files       []string
		left, swept []string
	}{
		{"nothing", nil, nil, nil},
		{"fresh", []string{"1/write.lock old", "1/vault.a.age"}, []string{"1/vault.a.age", "1/write.lock"}, nil},
		{"just made", []string{"1/write.lock"}, []string{"1/write.lock"}, nil},
		{"untouched", []string{"1/write.lock old", "1/vault.a.age old", "1/" + FileName + " old", "2/write.lock"},
			[]string{"2/write.lock"}, []string{"1"}},
		{"only the state file is written", []string{"1/write.lock old", "1/vault.a.age old", "1/vault.a.age.bad-1 old", "1/" + FileName},
			[]string{"1/" + FileName, "1/write.lock"}, []string{"1/vault.a.age", "1/vault.a.age.bad-1"}},
		{"an old key's vault", []string{"1/write.lock old", "1/vault.a.age old", "1/vault.b.age"},
			[]string{"1/vault.b.age", "1/write.lock"}, []string{"1/vault.a.age"}},
		{"local values", []string{"1/write.lock old", "1/vault.a.age old", "1/vault.a.local old", "1/vault.a.age.bad-1 old", "1/vault.b.age old"},
			[]string{"1/vault.a.age", "1/vault.a.age.bad-1", "1/vault.a.local", "1/write.lock"}, []string{"1/vault.b.age"}},
		{"left by a killed sweep", []string{sweptPrefix + "1/vault.a.age"}, nil, nil},
		{"folders of others", []string{"dev/write.lock old", "dev-x0000000/write.lock old", "1/a/b old", "1/write.lock old", "2/vault.a.age old", "note old"},
			[]string{"1/a/b", "1/write.lock", "2/vault.a.age", "dev-x0000000/write.lock", "dev/write.lock", "note"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, test.files...)
			swept, err := Sweep(dir, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for i, path := range swept {
				swept[i] = short(dir, path)
			}
			if !slices.Equal(swept, test.swept) {
				t.Errorf("swept %q, want %q", swept, test.swept)
			}
			if got := tree(t, dir); !slices.Equal(got, test.left) {
				t.Errorf("left %q, want %q", got, test.left)
			}
		})
	}
}

func TestSweepKeepsWhereSomebodyIsRegistered(t *testing.T) {
	for _, space := range []string{pidSpace(), "another container"} {
		dir := t.TempDir()
		fill(t, dir, "1/write.lock old", "1/vault.a.age old")
		path := putEntry(t, dir, func(e *Entry) { e.Space = space })
		if swept, err := Sweep(dir, time.Now()); err != nil || swept != nil {
			t.Errorf("swept %q, %v with an entry of %q", swept, err, space)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if swept, err := Sweep(dir, time.Now()); err != nil || len(swept) != 1 {
			t.Errorf("swept %q, %v without an entry", swept, err)
		}
	}
}

func TestSweepKeepsWhatIsLocked(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "1/write.lock old", "1/vault.a.age old")
	unlock, err := disk.Lock(t.Context(), filepath.Join(dir, long("1"), disk.WriteLock))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if swept, err := Sweep(dir, time.Now()); err != nil || swept != nil {
		t.Errorf("swept %q, %v", swept, err)
	}
}

// Every JWT that logs in leaves a record, so these go soon; one that is in use, or was
// not long ago, stays.
func TestSweepLogins(t *testing.T) {
	dir := t.TempDir()
	var old []*Login
	for i := range 3 {
		login, err := BeginLogin(t.Context(), dir, "id-1", source.NewValue(fmt.Sprint("proof ", i)))
		if err != nil {
			t.Fatal(err)
		}
		end(t, login, LoginAccepted)
		age(t, login.path, keepLogin+time.Minute)
		old = append(old, login)
	}
	end(t, begin(t, dir, source.NewValue("asked just now")), LoginRefused)
	age(t, old[0].path, keepLogin-time.Minute)
	unlock, err := disk.Lock(t.Context(), old[2].path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if swept, err := Sweep(dir, time.Now()); err != nil || swept != nil {
		t.Errorf("swept %q, %v", swept, err)
	}
	for i, kept := range []bool{true, false, true} {
		_, err := os.Stat(old[i].path)
		if (err == nil) != kept {
			t.Errorf("login %d: %v, want it kept: %v", i, err, kept)
		}
	}
	if files := tree(t, dir); len(files) != 3 {
		t.Errorf("left %q, want three logins", files)
	}
}

func TestSweepErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := Sweep(dir, time.Now()); err == nil {
		t.Error("swept a directory that is not there")
	}
}
