//go:build !windows

package export_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"infisync/source"
	"infisync/source/export"
)

func TestWriteFile(t *testing.T) {
	// The mode does not depend on the mask: one that takes nothing away would
	// show a file that was created with a wider one.
	defer syscall.Umask(syscall.Umask(0))
	set := setOf("A", "x")
	for _, name := range []string{"new", "old", "read-only"} {
		path := filepath.Join(t.TempDir(), name)
		if name != "new" {
			if err := os.WriteFile(path, []byte("a longer content from before"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.Open(path) // nil for the new file
		if name == "read-only" {
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
		}
		if err := export.WriteFile(path, "shell", set, options); err != nil {
			t.Errorf("%s file: %v", name, err)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil || string(text) != "export A='x'\n" {
			t.Errorf("%s file holds %q, %v", name, text, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s file has mode %v, %v, want 0600", name, info.Mode(), err)
		}
		if before != nil {
			// Who had it open keeps the old file, whole.
			old := new(bytes.Buffer)
			if _, err := old.ReadFrom(before); err != nil || old.String() != "a longer content from before" {
				t.Errorf("%s file, open since before: %q, %v", name, old, err)
			}
			before.Close()
		}
		onlyFile(t, path)
	}
}

// onlyFile reports what was left beside path.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside %q: %v, %v", path, entries, err)
	}
}

// A secret that cannot be carried leaves the file as it was.
func TestWriteFileImpossible(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := export.WriteFile(path, "docker", setOf("A", "x", "B", "1\n2"), options); source.CodeOf(err) != source.CodeExportImpossible {
		t.Errorf("got %v, want export-impossible", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "before" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	onlyFile(t, path)
}

func TestWriteFileRefuses(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "target", "dangling": "nowhere", "loop": "loop", "to-dir": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, reason := range map[string]string{
		"link": "symbolic link", "dangling": "symbolic link", "loop": "symbolic link", "to-dir": "symbolic link",
		".": "directory", "missing/file": "no such file", "target/file": "not a directory",
	} {
		err := export.WriteFile(filepath.Join(dir, name), "shell", setOf("A", "s3cret"), options)
		if source.CodeOf(err) != source.CodeExportFile || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", name, err, reason)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells the value", name)
		}
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "before" {
		t.Errorf("behind the link: %q, %v", text, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dangling link was followed: %v", err)
	}
}

// What cannot be replaced is written to: a pipe, and a device behind a link.
func TestWriteFileToStreams(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		read <- string(text)
	}()
	if err := export.WriteFile(pipe, "shell", setOf("A", "x"), options); err != nil {
		t.Fatal(err)
	}
	if text := <-read; text != "export A='x'\n" {
		t.Errorf("read %q from the pipe", text)
	}
	onlyFile(t, pipe)

	link := filepath.Join(dir, "link")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if err := export.WriteFile(link, "shell", setOf("A", "x"), options); err != nil {
		t.Errorf("to %s behind a link: %v", os.DevNull, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	// A full device is an error, not a shorter file.
	if _, err := os.Stat("/dev/full"); err == nil {
		if err := export.WriteFile("/dev/full", "shell", setOf("A", "x"), options); source.CodeOf(err) != source.CodeExportFile || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("to a full device: %v", err)
		}
	}
}
