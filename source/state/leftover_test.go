//go:build !windows

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
)

func writeFile(t *testing.T, path, content string) time.Time {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// What a killed process has left is removed by the next that sweeps, or that
// lists, but for what is somebody else's by now.
func TestLeftFilesAreRemoved(t *testing.T) {
	for name, next := range map[string]func(dir string) error{
		"sweep": func(dir string) error {
			SweepGone(dir)
			return nil
		},
		"list": func(dir string) error {
			_, _, err := readRegister(dir)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, files := t.TempDir(), t.TempDir()
			in := func(name string) string { return filepath.Join(files, name) }
			helper := startHelper(t, "register", dir, 0)
			helper.line(t)
			entries := list(t, dir)
			if len(entries) != 1 {
				t.Fatalf("listed %+v", entries)
			}
			entry := entries[0]
			written := writeFile(t, in("left"), "secret")
			entry.Files = map[string][]time.Time{
				in("left"):   {written.Add(-time.Hour), written},
				in("draft"):  {},
				in("theirs"): {writeFile(t, in("theirs"), "not a secret").Add(-time.Second)},
				in("gone"):   {written},
				in("folder"): {},
			}
			writeFile(t, in("draft"), "sec")
			if err := os.Mkdir(in("folder"), 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, registerDir, namesIn(t, filepath.Join(dir, registerDir))[0])
			r := &Registration{path: path, entry: entry}
			if err := r.KeepFiles(entry.Files); err != nil {
				t.Fatal(err)
			}
			// While the process runs, the files are its own.
			if err := next(dir); err != nil {
				t.Fatal(err)
			}
			if got := namesIn(t, files); len(got) != 4 {
				t.Errorf("files %q are there while the process runs", got)
			}
			helper.Process.Kill()
			helper.Wait()
			if err := next(dir); err != nil {
				t.Fatal(err)
			}
			if got := namesIn(t, files); !slices.Equal(got, []string{"folder", "theirs"}) {
				t.Errorf("files %q are there after it", got)
			}
			if slices.Contains(namesIn(t, filepath.Join(dir, registerDir)), filepath.Base(path)) {
				t.Error("its entry is still there")
			}
		})
	}
}

// What a killed process had not finished is removed by the next.
func TestUnfinishedEntryIsRemoved(t *testing.T) {
	dir := t.TempDir()
	path := putEntry(t, dir, func(*Entry) {})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	gone := fmt.Sprintf(entryName, 1<<30, 7, sumOf(pidSpace()), sumOf("dev-00000001")) + ".new"
	writeFile(t, filepath.Join(filepath.Dir(path), gone), `{"pid":`)
	elsewhere := fmt.Sprintf(entryName, 1<<30, 7, sumOf("elsewhere"), sumOf("dev-00000001")) + ".new"
	writeFile(t, filepath.Join(filepath.Dir(path), elsewhere), `{"pid":`)
	SweepGone(dir)
	if got := namesIn(t, filepath.Dir(path)); !slices.Equal(got, []string{elsewhere}) {
		t.Errorf("files %q are in the register", got)
	}
	SweepGone("")
}

// An entry with files that could not be removed stays for the next who tries.
func TestEntryStaysWithItsFiles(t *testing.T) {
	dir := t.TempDir()
	r, err := Register(dir, Entry{Folder: "dev-00000001"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.KeepFiles(map[string][]time.Time{"/dev/null": {}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); len(got) != 1 || len(got[0].Files) != 1 {
		t.Errorf("listed %+v", got)
	}
	var none *Registration
	if err := none.KeepFiles(nil); source.CodeOf(err) != source.CodeStateDir || !strings.Contains(err.Error(), "not in the register") {
		t.Errorf("without a register: %v", err)
	}
}
