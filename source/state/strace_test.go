//go:build linux

package state

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"infisync/source"
	"infisync/source/state/disk"
	"infisync/source/state/disk/disktest"
)

// whole fails the test unless the state file is one that was written for that set,
// and returns its count of pulls.
func whole(t *testing.T, dir string, set source.Set) int {
	t.Helper()
	file, err := Read(Path(dir, scope))
	if err != nil || file.Digest() != digestOf(set) {
		t.Fatalf("the state file is not whole: %v, %d secrets", err, len(file.Secrets))
	}
	return file.PullCount
}

// alone fails the test if anything is beside the state file and the lock.
func alone(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, scope.Folder()))
	if err != nil || len(files) != 2 {
		t.Errorf("left %v where %s and %s should be: %v", files, FileName, disk.WriteLock, err)
	}
}

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
		if file.Digest() != digestOf(counting(now)) || !file.LastSync.Equal(start) {
			t.Fatalf("the state file is not the one of pull %d", now)
		}
		if !killed {
			alone(t, dir)
		}
	})
}

// A process killed at any system call of a heartbeat leaves the one before or the one
// after, with all secrets.
func TestPulseKilledAtSystemCall(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, func(f *File) { f.Record(scope, counting(0), Hasher{}, start) })
	now := 0
	beat := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
		cmd.Env = append(os.Environ(), roleVariable+"=beat")
		cmd.Stderr = os.Stderr
		return cmd
	}
	disktest.KillAtCalls(t, beat, func(t *testing.T, killed bool) {
		n := whole(t, dir, counting(0))
		if n > now+4 || n < now || !killed && n != now+4 {
			t.Fatalf("the state file counts %d pulls after %d, killed: %t", n, now, killed)
		}
		if now = n; !killed {
			alone(t, dir)
		}
	}, "pwrite64", "renameat2")
}
