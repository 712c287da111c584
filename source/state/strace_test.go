//go:build linux

package state

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"infisync/source/state/disk"
	"infisync/source/state/disk/disktest"
)

// A process killed at any system call of an update leaves the state file before or
// the one after, whole; one that was not killed leaves nothing else beside it.
func TestKilledAtSystemCall(t *testing.T) {
	dir := t.TempDir()
	count := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
		cmd.Env = append(os.Environ(), roleVariable+"=count")
		cmd.Stderr = os.Stderr
		return cmd
	}
	if err := count().Run(); err != nil {
		t.Fatal(err)
	}
	now := 1
	disktest.KillAtCalls(t, count, func(t *testing.T, killed bool) {
		file, err := Read(Path(dir, scope))
		if n := file.PullCount; err != nil || n != now+1 && !(killed && n == now) {
			t.Fatalf("the state file counts %d after %d, killed: %t; %v", n, now, killed, err)
		}
		now = file.PullCount
		if file.Digest() != Digest(counting(now)) || !file.LastSync.Equal(start) {
			t.Fatalf("the state file is not the one of pull %d", now)
		}
		if !killed {
			files, err := filepath.Glob(filepath.Join(dir, scope.Folder(), "*"))
			hidden, _ := filepath.Glob(filepath.Join(dir, scope.Folder(), ".*"))
			if len(files) != 2 || len(hidden) != 0 {
				t.Errorf("left %q besides %s and %s: %v", append(files, hidden...), FileName, disk.WriteLock, err)
			}
		}
	})
}
