//go:build !windows

package state

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"infisync/source"
)

// checkOwner refuses a directory in which another user could put files.
func checkOwner(dir string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return source.Errorf(source.CodeStateDir,
			"state directory %q has mode %04o: others can write in it", dir, mode)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	// Root could change anything anyway. A directory of root's that others
	// cannot write is not writable here: the next check says so.
	if owner != 0 && int(owner) != os.Geteuid() {
		return source.Errorf(source.CodeStateDir,
			"state directory %q belongs to user %d, not to user %d who runs infisync", dir, owner, os.Geteuid())
	}
	return nil
}

func checkAccess(dir string) error { return unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) }
