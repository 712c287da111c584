package disk

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("readable for all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{bytes.Repeat([]byte("x"), 1<<20), []byte("short"), nil} {
		if err := Replace(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, %v, want %d", len(got), err, len(want))
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"file"}) {
		t.Errorf("left %q", got)
	}
}

func names(t *testing.T, dir string) []string {
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

func TestReplaceErrors(t *testing.T) {
	dir := t.TempDir()
	if err := Replace(filepath.Join(dir, "none", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("replaced a folder")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"folder"}) {
		t.Errorf("left %q", got)
	}
}

// Who reads while others replace sees one of the files, whole.
func TestReplaceIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(c byte) error { return Replace(path, bytes.Repeat([]byte{c}, 100_000+int(c))) }
	if err := write('a'); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for c := byte('b'); c < 'f'; c++ {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := write(c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 500 {
		got, err := os.ReadFile(path)
		if err != nil || len(got) == 0 || len(got) != 100_000+int(got[0]) || len(bytes.Trim(got, string(got[:1]))) != 0 {
			t.Errorf("read %d bytes that nobody wrote, %v", len(got), err)
			break
		}
	}
	close(stop)
	writers.Wait()
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "by", "lock")
	var count, inside atomic.Int32 // atomic for the race detector, which does not know file locks
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			unlock, err := Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d callers hold the lock", n)
			}
			count.Add(1)
			inside.Add(-1)
		})
	}
	callers.Wait()
	if count.Load() != 50 {
		t.Errorf("%d of 50 callers had the lock", count.Load())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is left with mode %v, %v", info.Mode(), err)
	}
}

func TestLockEndsWithContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, wait := range []time.Duration{0, time.Millisecond} {
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), wait, why)
		second, err := Lock(ctx, path)
		if !errors.Is(err, why) || second != nil || !strings.Contains(err.Error(), path) {
			t.Errorf("within %v: error %v", wait, err)
		}
		cancel()
	}
}

// A caller who waited for the lock of a folder that is removed meanwhile gets
// that of the new folder.
func TestLockOfRemovedFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	path := filepath.Join(folder, "lock")
	unlock, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	locked := make(chan error)
	go func() {
		unlock, err := Lock(t.Context(), path)
		if err == nil {
			if _, err = os.Stat(path); err == nil {
				unlock()
			}
		}
		locked <- err
	}()
	if err := os.Rename(folder, folder+".old"); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-locked; err != nil {
		t.Errorf("the lock that was got is not at its path: %v", err)
	}
}

func TestLockErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if unlock, err := Lock(t.Context(), filepath.Join(file, "lock")); err == nil || unlock != nil {
		t.Errorf("in a file: %v", err)
	}
	// A link to nowhere: neither found nor to be made.
	link := filepath.Join(t.TempDir(), "lock")
	if err := os.Symlink(filepath.Join(link+"x", "lock"), link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockPoll)
	defer cancel()
	if _, err := Lock(ctx, link); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a link to nowhere: %v", err)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	kept := []string{".file", ".file1x", ".other1", "file", "file1"}
	for _, name := range append(kept, ".file1", ".file8446744073709551615") {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(filepath.Join(dir, "file"))
	if got := names(t, dir); !slices.Equal(got, kept) {
		t.Errorf("left %q, want %q", got, kept)
	}
	Sweep(filepath.Join(dir, "none", "file"))
}
