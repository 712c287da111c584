package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

// canary is a value that must be found nowhere.
const canary = "canary-7f3a"

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	scope = source.Scope{
		URL: "https://vault.example/api",
		Places: []source.Place{
			{Project: "p1", Environment: "dev", Path: "/"},
			{Project: "p2", Environment: "dev", Path: "/"},
		},
	}
)

func set(pairs ...string) source.Set {
	var secrets []source.Secret
	for i := 0; i < len(pairs); i += 2 {
		secrets = append(secrets, source.Secret{Name: pairs[i], Value: source.NewValue(pairs[i+1]), Version: i + 1})
	}
	return source.NewSet(secrets...)
}

// digestOf is the digest of a set in a file that was written without a key.
func digestOf(set source.Set) string { return Hasher{}.Digest(set) }

// counting is a set in which every value is n.
func counting(n int) source.Set {
	var pairs []string
	for i := range 500 {
		pairs = append(pairs, fmt.Sprintf("NAME_%03d", i), strconv.Itoa(n))
	}
	return set(pairs...)
}

func update(t *testing.T, dir string, edit func(*File)) (rebuilt bool) {
	t.Helper()
	rebuilt, err := Update(t.Context(), dir, scope, func(f *File) error { edit(f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return rebuilt
}

// put writes text as the state file and returns its path.
func put(t testing.TB, dir, text string) string {
	t.Helper()
	path := Path(dir, scope)
	if err := disk.MakeDir(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileText(t *testing.T) {
	dir := t.TempDir()
	rebuilt := update(t, dir, func(f *File) {
		f.Record(scope, set("B", "2", "A", "1"), Hasher{}, start)
		f.PullCount++
	})
	if rebuilt {
		t.Error("a new file counts as rebuilt")
	}
	got, err := os.ReadFile(Path(dir, scope))
	if err != nil {
		t.Fatal(err)
	}
	// printf A:1 | sha256sum
	const want = `{
  "last_sync": "2026-03-01T12:00:00Z",
  "project_ids": [
    "p1",
    "p2"
  ],
  "environment": "dev",
  "secrets": {
    "A": {
      "hash": "370b981603ce7a53ef98795f715241bce23f5f3dbf25895b52d6760d7fa5a397",
      "version": 3,
      "last_synced": "2026-03-01T12:00:00Z"
    },
    "B": {
      "hash": "f204bf764fa4f33dea853ac858c153960713c29e292459aeb24ced54282b792b",
      "version": 1,
      "last_synced": "2026-03-01T12:00:00Z"
    }
  },
  "error_count": 0,
  "push_count": 0,
  "pull_count": 1
}
`
	if string(got) != want {
		t.Errorf("state file is\n%s\nwant\n%s", got, want)
	}
	info, err := os.Stat(Path(dir, scope))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestZeroFileText(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, func(f *File) {
		if !reflect.DeepEqual(*f, File{}) {
			t.Errorf("a missing file starts as %+v", *f)
		}
	})
	got, err := os.ReadFile(Path(dir, scope))
	if want := `{
  "last_sync": null,
  "project_ids": [],
  "environment": "",
  "secrets": {},
  "error_count": 0,
  "push_count": 0,
  "pull_count": 0
}
`; err != nil || string(got) != want {
		t.Errorf("state file is\n%s\nwant\n%s (%v)", got, want, err)
	}
}

func TestRecord(t *testing.T) {
	var f File
	f.Record(scope, set("SAME", "1", "CHANGED", "1", "GONE", "1"), Hasher{}, start)
	later := start.Add(time.Hour).In(time.FixedZone("", 3600)).Add(123 * time.Millisecond)
	same, _ := set("SAME", "1").Get("SAME")
	same.Version = 9
	f.Record(scope, source.NewSet(same, source.Secret{Name: "CHANGED", Value: source.NewValue("2")}), Hasher{}, later)
	want := map[string]Secret{
		"SAME":    {Hash: Hash("SAME", source.NewValue("1")), Version: 9, LastSynced: start},
		"CHANGED": {Hash: Hash("CHANGED", source.NewValue("2")), LastSynced: start.Add(time.Hour)},
	}
	if !reflect.DeepEqual(f.Secrets, want) {
		t.Errorf("secrets %+v, want %+v", f.Secrets, want)
	}
	if !f.LastSync.Equal(start.Add(time.Hour)) || f.LastSync.Location() != time.UTC {
		t.Errorf("last sync %v", f.LastSync)
	}
}

// What others wrote into the file is there after ten cycles, as it was.
func TestUnknownKeysStay(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, `{"x_top": {"big": 123456789012345678901234567890, "e": 1e2, "html": "<&>"}, "pull_count": 5,
		"secrets": {"A": {"hash": "", "owner": ["me", null, true]}, "GONE": {"owner": "you"}}, "last_sync": null}`)
	for i := range 10 {
		rebuilt := update(t, dir, func(f *File) {
			f.Record(scope, set("A", fmt.Sprint(i)), Hasher{}, start.Add(time.Duration(i)*time.Minute))
			f.PullCount++
		})
		if rebuilt {
			t.Error("a whole file counts as rebuilt")
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(got)), " ")
	for _, want := range []string{
		`"x_top": { "big": 123456789012345678901234567890, "e": 1e2, "html": "<&>" }`,
		`"owner": [ "me", null, true ]`,
		`"pull_count": 15`,
		`"last_sync": "2026-03-01T12:09:00Z"`,
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("%s is missing in %s", want, flat)
		}
	}
	if strings.Contains(flat, "GONE") {
		t.Errorf("a secret that is no more is still in %s", flat)
	}
}

func TestDamagedFile(t *testing.T) {
	secret := Secret{Hash: "h", Version: 2}
	for _, test := range []struct {
		name, text string
		want       File
	}{
		{"empty", "", File{}},
		{"cut", `{"pull_count": 3`, File{}},
		{"no object", `[1]`, File{}},
		{"null", `null`, File{}},
		{"two", `{} {}`, File{}},
		{"a count of another type", `{"error_count": "canary-7f3a", "pull_count": 3}`, File{PullCount: 3}},
		{"a fraction", `{"error_count": 1.5, "environment": "dev"}`, File{Environment: "dev"}},
		{"a time", `{"last_sync": "yesterday", "push_count": 1}`, File{PushCount: 1}},
		{"ids of several types", `{"project_ids": ["a", 1], "pull_count": 1}`, File{PullCount: 1}},
		{"secrets", `{"secrets": [], "pull_count": 1}`, File{PullCount: 1}},
		{"one secret", `{"secrets": {"A": {"hash": "h", "version": 2}, "B": 3, "C": {"version": "x"}}}`,
			File{Secrets: map[string]Secret{"A": secret}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := put(t, dir, test.text)
			got, err := Read(path)
			if !errors.Is(err, ErrDamaged) || source.CodeOf(err) != source.CodeStateDir {
				t.Errorf("error %v", err)
			}
			if want := fmt.Sprintf("state file %q: damaged state file", path); err != nil && err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			forgetUnknown(&got)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("read %+v, want %+v", got, test.want)
			}
			if !update(t, dir, func(*File) {}) {
				t.Error("not said to be rebuilt")
			}
			if _, err := Read(path); err != nil {
				t.Errorf("not rebuilt: %v", err)
			}
		})
	}
}

func forgetUnknown(f *File) {
	f.unknown = nil
	for name, secret := range f.Secrets {
		secret.unknown = nil
		f.Secrets[name] = secret
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(Path(dir, scope)); !errors.Is(err, fs.ErrNotExist) || source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("missing: %v", err)
	}
	if _, err := Read(dir); err == nil || errors.Is(err, ErrDamaged) || source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("a folder: %v", err)
	}
	if err := os.MkdirAll(Path(dir, scope), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Update(t.Context(), dir, scope, func(*File) error { return nil }); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("changing a folder: %v", err)
	}
}

func TestUpdateErrorChangesNothing(t *testing.T) {
	dir := t.TempDir()
	const text = `{"pull_count": 7}`
	path := put(t, dir, text)
	want := errors.New("no")
	if _, err := Update(t.Context(), dir, scope, func(f *File) error { f.PullCount++; return want }); err != want {
		t.Errorf("error %v, want that of edit", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("file %q, %v", got, err)
	}
}

func TestConcurrentUpdates(t *testing.T) {
	dir := t.TempDir()
	var writers sync.WaitGroup
	for range 100 {
		writers.Go(func() {
			if _, err := Update(t.Context(), dir, scope, func(f *File) error { f.PullCount++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if f, err := Read(Path(dir, scope)); err != nil || f.PullCount != 100 {
		t.Errorf("%d of 100 updates counted, %v", f.PullCount, err)
	}
}

func TestDigest(t *testing.T) {
	sets := map[string]source.Set{ // all different
		"empty":         {},
		"one":           set("A", "1"),
		"other value":   set("A", "2"),
		"other name":    set("B", "1"),
		"two":           set("A", "1", "B", "1"),
		"name and sign": set("A:1", ""),
		"sign in value": set("A", ":1"),
	}
	digests := make(map[string]string)
	for name, s := range sets {
		digest := digestOf(s)
		if other, ok := digests[digest]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[digest] = name
		var f File
		f.Record(scope, s, Hasher{}, start)
		if got := f.Digest(); got != digest {
			t.Errorf("%s: digest of the file %s, of the set %s", name, got, digest)
		}
	}
	a, _ := set("A", "1").Get("A")
	a.Place, a.Version, a.Imported = source.Place{Path: "/x"}, 77, true
	if digestOf(source.NewSet(a)) != digestOf(set("A", "1")) {
		t.Error("place and version change the digest")
	}
	// Followers compare it with that of another release.
	if got := digestOf(set("A", "1", "B", "2")); got != "1af4fc5d5f49dcaa21bcd46d55efa6f1d0441f15f01b1b01a58c6cb68c16bbf7" {
		t.Errorf("digest %s", got)
	}
}
