//go:build unix

package inject

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func newShelf(t *testing.T, note func(map[string][]time.Time) error) *shelf {
	t.Helper()
	if note == nil {
		note = func(map[string][]time.Time) error { return nil }
	}
	return &shelf{note: note, log: slog.New(slog.NewTextHandler(t.Output(), nil)), files: make(map[string]shelved)}
}

func file(path, content string, mode fs.FileMode) File {
	return File{FileSpec: FileSpec{Name: filepath.Base(path), Path: path, Mode: mode}, content: NewVar("", content)}
}

func wantFile(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%q holds %q, %v, want %q", path, got, err, content)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != mode {
		t.Errorf("%q has mode %v, %v, want %v", path, info.Mode(), err, mode)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
}

// A secret's file can be read by its owner only from its creation on, whatever the
// umask, and by others only if that was asked for, once it is whole.
func TestShelfHidesDrafts(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	drafts := 0
	s := newShelf(t, func(files map[string][]time.Time) error {
		for path, times := range files {
			info, err := os.Lstat(path)
			if len(times) > 0 || err != nil {
				continue // in its place, or not there yet
			}
			if drafts++; info.Mode() != 0o600 || info.Size() == 0 {
				t.Errorf("a draft has mode %v and %d bytes", info.Mode(), info.Size())
			}
		}
		return nil
	})
	want := []File{file(filepath.Join(dir, "private"), "1", 0o600), file(filepath.Join(dir, "group"), "2", 0o640), file(filepath.Join(dir, "read"), "3", 0o400)}
	for range 2 {
		if err := s.put(want); err != nil {
			t.Fatal(err)
		}
		for _, f := range want {
			wantFile(t, f.Path, f.content.Reveal(), f.Mode)
		}
		want[0].content, want[1].content, want[2].content = NewVar("", "4"), NewVar("", "5"), NewVar("", "6")
	}
	if drafts != 6 {
		t.Errorf("%d drafts were noted, want three, twice", drafts)
	}
	wantNames(t, dir, "group", "private", "read")
	s.clear()
	wantNames(t, dir)
}

// Whoever reads while the file is swapped sees a value whole.
func TestShelfIsNeverTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	s := newShelf(t, nil)
	value := func(n int) string { return strings.Repeat(string(rune('a'+n%26)), 50_000+n%26) }
	if err := s.put([]File{file(path, value(0), 0o600)}); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for done := false; !done; {
				select {
				case <-stop:
					done = true // and once more
				default:
				}
				got, err := os.ReadFile(path)
				if err != nil || len(got) == 0 || string(got) != value(int(got[0]-'a')) {
					t.Errorf("read %d bytes that were never put there, %v", len(got), err)
					return
				}
			}
		})
	}
	for n := range 1000 {
		if err := s.put([]File{file(path, value(n+1), 0o600)}); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	readers.Wait()
	wantFile(t, path, value(1000), 0o600)
}

// What is noted names every file that there is or may be, at each moment.
func TestShelfNotes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	var last map[string][]time.Time
	s := newShelf(t, func(files map[string][]time.Time) error {
		last = files
		return nil
	})
	noted := func() bool {
		info, err := os.Lstat(path)
		return err == nil && slices.ContainsFunc(last[path], info.ModTime().Equal)
	}
	for _, content := range []string{"1", "2"} {
		before, _ := os.Lstat(path)
		if err := s.put([]File{file(path, content, 0o600)}); err != nil {
			t.Fatal(err)
		}
		if !noted() {
			t.Errorf("noted %v, which is not when %q was written", last, content)
		}
		if before != nil && !slices.ContainsFunc(last[path], before.ModTime().Equal) {
			t.Errorf("noted %v before the old file was gone", last)
		}
	}
	last = nil
	if err := s.put([]File{file(path, "2", 0o600)}); err != nil || last != nil {
		t.Errorf("what is there already was noted: %v, %v", last, err)
	}
	s.clear()
	if last == nil || len(last) > 0 {
		t.Errorf("noted %v in the end", last)
	}
	if err := s.put([]File{file(filepath.Join(dir, "nowhere", "secret"), "1", 0o600)}); err == nil || len(last) != 1 {
		t.Errorf("noted %v before a file that cannot be written, %v", last, err)
	}
	s.clear()
	if len(last) > 0 {
		t.Errorf("noted %v in the end, after nothing could be written", last)
	}
}

func TestShelfIsPutRight(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s := newShelf(t, nil)
	both := []File{file(a, "1", 0o600), file(b, "2", 0o600)}
	if err := s.put(both); err != nil {
		t.Fatal(err)
	}
	// The child has deleted one, and written to the other.
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.put(both); err != nil {
		t.Fatal(err)
	}
	wantFile(t, a, "1", 0o600)
	wantFile(t, b, "2", 0o600)
}

func TestShelfKeepsOthersFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	mine := func() {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	s := newShelf(t, nil)
	mine()
	wantError(t, s.put([]File{file(path, "canary", 0o600)}), CodeFile, 125, "that infisync did not write: remove it")
	wantFile(t, path, "mine", 0o644)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.put([]File{file(path, "canary", 0o600)}); err != nil {
		t.Fatal(err)
	}
	mine()
	wantError(t, s.put([]File{file(path, "canary", 0o600)}), CodeFile, 125, "that infisync did not write")
	s.clear()
	wantFile(t, path, "mine", 0o644)

	// Or they are replaced, if that was asked for.
	replacing := file(path, "new", 0o600)
	replacing.replace = true
	if err := s.put([]File{replacing}); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "new", 0o600)
	s.clear()
	wantNames(t, dir)
	if err := os.Symlink("/dev/null", path); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.put([]File{replacing}), CodeFile, 125, "not a regular file")
	wantNames(t, dir, "secret")
}

// One that cannot be written leaves the others as they are, and no drafts.
func TestShelfFails(t *testing.T) {
	dir := t.TempDir()
	path, lost := filepath.Join(dir, "a"), filepath.Join(dir, "folder", "b")
	if err := os.Mkdir(filepath.Dir(lost), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newShelf(t, nil)
	if err := s.put([]File{file(path, "1", 0o600), file(lost, "1", 0o600)}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(lost)); err != nil {
		t.Fatal(err)
	}
	err := s.put([]File{file(path, "canary", 0o600), file(lost, "canary", 0o600)})
	wantError(t, err, CodeFile, 125, `writing secret "b" to "`+lost+`": the folder "`+filepath.Dir(lost)+`" is not there`)
	wantFile(t, path, "1", 0o600)
	wantNames(t, dir, "a")
	err = s.put([]File{file(filepath.Join(path, "below"), "canary", 0o600)})
	wantError(t, err, CodeFile, 125, "not a directory")
}

// When one of several cannot be put in its place, the others are put back.
func TestShelfUndoes(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	notes := 0
	s := newShelf(t, func(map[string][]time.Time) error {
		if notes++; notes != 4 { // all are written for the second time
			return nil
		}
		return errors.Join(os.Remove(b), os.Mkdir(b, 0o700))
	})
	if err := s.put([]File{file(a, "1", 0o600), file(b, "1", 0o600)}); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.put([]File{file(a, "canary", 0o600), file(b, "canary", 0o600)}), CodeFile, 125, `writing secret "b"`)
	wantFile(t, a, "1", 0o600)
	wantNames(t, dir, "a", "b")
	s.clear()
	wantNames(t, dir, "b")
}
