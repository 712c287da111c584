// Package disk writes the files of the state directory: whole or not at all,
// readable by their owner only, one writer at a time.
//
// [Replace] puts a new file in the place of an old one; whoever reads meanwhile
// sees the one or the other. [Lock] keeps other processes and goroutines out
// while a file is read, changed and written. [Sweep] removes what a process
// that was killed in [Replace] left behind.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// WriteLock is the name of the file in a scope's folder that is locked for each
// write to any file in it.
const WriteLock = "write.lock"

const (
	// dirMode and fileMode keep what is stored from other users.
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600

	// lockPoll is how often a lock that is taken is tried again. The kernel's
	// own wait cannot be given up when the context ends.
	lockPoll = 10 * time.Millisecond
)

// MakeDir creates dir and the folders above it that are missing, each with mode
// 0700. What exists keeps its mode.
func MakeDir(dir string) error { return os.MkdirAll(dir, dirMode) }

// Lock takes the lock file at path for this caller alone, and creates the file
// and its folder when they are missing. It blocks until the lock is free or ctx
// ends; the error then wraps ctx's cause. The caller must call unlock, once. A
// lock ends with its process, however that ends. The file stays: removing it
// would let two callers hold locks on different files of one name.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	for wait := false; ctx.Err() == nil; wait = true {
		lock := flock.New(path, flock.SetPermissions(fileMode))
		taken, err := lock.TryLock()
		if errors.Is(err, fs.ErrNotExist) {
			if err = MakeDir(filepath.Dir(path)); err == nil && !wait {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("taking a lock: %w", err)
		}
		if taken {
			if stillThere(lock, path) {
				return func() { lock.Close() }, nil
			}
			// The folder was swept between opening the file and locking it.
			lock.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockPoll):
		}
	}
	return nil, fmt.Errorf("waiting for lock %q: %w", path, context.Cause(ctx))
}

// stillThere tells whether the locked file is the one that others find at path.
func stillThere(lock *flock.Flock, path string) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(path)
	return err == nil && os.SameFile(locked, found)
}

// Sweep removes the unfinished files of a Replace of path that was killed. The
// caller holds the lock under which path is written. What cannot be removed
// stays: it harms nobody.
func Sweep(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, entry := range entries {
		if isTemporary(entry.Name(), filepath.Base(path)) {
			os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
}

// isTemporary tells whether name is a dot, base and digits: what Replace calls
// the file that it has not finished yet.
func isTemporary(name, base string) bool {
	digits, ok := strings.CutPrefix(name, "."+base)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Create writes data to a new file at path, with mode 0600, and syncs it. One that
// exists is an error. When Create fails it leaves no file of its own.
func Create(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path)
	}
	return err
}
