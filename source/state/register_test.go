package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"infisync/source"
)

func list(t *testing.T, dir string) []Entry {
	t.Helper()
	entries, _, err := readRegister(dir)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestRegister(t *testing.T) {
	dir := t.TempDir()
	if got := list(t, dir); got != nil {
		t.Errorf("a new register lists %+v", got)
	}
	entry := Entry{
		Folder: "dev-00000001", Command: "/usr/bin/app", Digest: "d1", Child: 42, Restarts: 1,
		Since: start.In(time.FixedZone("", 3600)),
	}
	r, err := Register(dir, entry)
	if err != nil {
		t.Fatal(err)
	}
	began, ok := processStart(os.Getpid())
	if !ok || began == 0 {
		t.Fatalf("start of this process: %d, %v", began, ok)
	}
	want := Entry{
		PID: os.Getpid(), Start: began, Space: pidSpace(), Folder: "dev-00000001", Command: "app", Digest: "d1",
		Child: 42, Restarts: 1, Since: start,
	}
	if got := list(t, dir); !reflect.DeepEqual(got, []Entry{want}) {
		t.Errorf("listed %+v, want %+v", got, want)
	}

	if err := r.Update(func(e *Entry) { e.Digest, e.Quarantined, e.Restarts = "d2", true, 2 }); err != nil {
		t.Fatal(err)
	}
	want.Digest, want.Quarantined, want.Restarts = "d2", true, 2
	if got := list(t, dir); !reflect.DeepEqual(got, []Entry{want}) {
		t.Errorf("listed %+v, want %+v", got, want)
	}
	before, err := os.Stat(r.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Update(func(e *Entry) { e.Digest = "d2" }); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(r.path); err != nil || !os.SameFile(before, after) {
		t.Errorf("an entry that did not change was written again, %v", err)
	}
	for range 2 {
		if err := r.Remove(); err != nil {
			t.Error(err)
		}
	}
	if got := list(t, dir); got != nil {
		t.Errorf("listed %+v after removing", got)
	}
}

// One process may have to do with several scopes.
func TestRegisterTwice(t *testing.T) {
	dir := t.TempDir()
	var both []*Registration
	for _, folder := range []string{"dev-00000001", "dev-00000002"} {
		r, err := Register(dir, Entry{Folder: folder, Syncs: true})
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, r)
	}
	if got := list(t, dir); len(got) != 2 || got[0].Folder != "dev-00000001" || got[1].Folder != "dev-00000002" {
		t.Errorf("listed %+v", got)
	}
	if err := both[0].Remove(); err != nil {
		t.Error(err)
	}
	if got := list(t, dir); len(got) != 1 || got[0].Folder != "dev-00000002" || !got[0].Syncs {
		t.Errorf("listed %+v after one was removed", got)
	}
}

func TestRegistrationIsSafeForConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	r, err := Register(dir, Entry{Folder: "dev-00000001"})
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 20 {
		writers.Go(func() {
			if err := r.Update(func(e *Entry) { e.Restarts++ }); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if got := list(t, dir); len(got) != 1 || got[0].Restarts != 20 {
		t.Errorf("listed %+v", got)
	}
}

// putEntry makes it so that the register holds this process's entry as edit
// changes it, and returns its path.
func putEntry(t *testing.T, dir string, edit func(*Entry)) string {
	t.Helper()
	r, err := Register(dir, Entry{Folder: "dev-00000001"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Update(edit); err != nil {
		t.Fatal(err)
	}
	return r.path
}

func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestListDropsWhatIsGone(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*Entry)
		old  bool
		kept bool // in the directory; nothing of this is listed
	}{
		{"pid used again", func(e *Entry) { e.Start++ }, false, false},
		{"no such pid", func(e *Entry) { e.PID = 1 << 30 }, false, false},
		{"another container", func(e *Entry) { e.Space = "other" }, false, true},
		{"another container, long ago", func(e *Entry) { e.Space = "other" }, true, false},
	} {
		dir := t.TempDir()
		path := putEntry(t, dir, test.edit)
		if test.old {
			age(t, path, keepUntouched+time.Hour)
		}
		if got := list(t, dir); got != nil {
			t.Errorf("%s: listed %+v", test.name, got)
		}
		if _, err := os.Stat(path); (err == nil) != test.kept {
			t.Errorf("%s: file kept: %v, want %v", test.name, err == nil, test.kept)
		}
	}
}

func TestListPassesOverDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	path := putEntry(t, dir, func(*Entry) {})
	fresh, old := filepath.Join(filepath.Dir(path), ".x.json1"), filepath.Join(filepath.Dir(path), "y.json")
	for _, file := range []string{fresh, old} {
		if err := os.WriteFile(file, []byte(`{"pid":`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	age(t, old, keepUntouched+time.Hour)
	if got := list(t, dir); len(got) != 1 {
		t.Errorf("listed %+v", got)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("removed what may be a file in the making")
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("kept a file that nobody finished")
	}
}

func TestRegisterErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "", open} {
		if r, err := Register(dir, Entry{}); source.CodeOf(err) != source.CodeStateDir || r != nil {
			t.Errorf("Register(%q): %v", dir, err)
		}
	}
	if _, _, err := readRegister(file); err == nil {
		t.Error("listed a file")
	}
}

// What is written by hand is what the library would write, every field of it.
func TestEntryText(t *testing.T) {
	type library Entry // without the method
	entries := []Entry{{}, {Since: time.Unix(1, 0).UTC()}, {Command: "ü\"\\<\x00\xff"}}
	var full Entry
	value := reflect.ValueOf(&full).Elem()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.String:
			field.SetString(fmt.Sprintf("text %d", i))
		case reflect.Int, reflect.Int64:
			field.SetInt(int64(100 + i))
		case reflect.Uint64:
			field.SetUint(uint64(100 + i))
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Struct:
			field.Set(reflect.ValueOf(start.Add(time.Nanosecond)))
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string][]time.Time{"/run/a": {start}, "/run/b": {}}))
		}
		if value.Field(i).IsZero() {
			t.Fatalf("field %q is not filled", value.Type().Field(i).Name)
		}
		entries = append(entries, full)
	}
	for _, entry := range entries {
		want, err := json.Marshal(library(entry))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := entry.MarshalJSON(); err != nil || string(got) != string(want) {
			t.Errorf("written %s, %v\nwant    %s", got, err, want)
		}
	}
}

// Where an entry cannot be written anew, nothing unfinished is left.
func TestFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := putEntry(t, dir, func(*Entry) {})
	if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "below"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := putUnsynced(path, []byte("{}")); err == nil {
		t.Error("a directory was replaced")
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left are %v, %v", files, err)
	}
}
