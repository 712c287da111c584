//go:build linux

package vault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A process killed at any system call of an update leaves the vault before or
// the one after, whole; one that was not killed leaves nothing else beside it.
func TestKilledAtSystemCall(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-o", os.DevNull, "true").Run() // ptrace may be forbidden
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	calls := []string{"flock", "write", "fsync", "renameat"}
	if os.Getenv("INFISYNC_SOAK") != "" {
		calls = append(calls, "openat", "read", "close", "fstat", "newfstatat", "fcntl", "getdents64")
	}
	dir, key := t.TempDir(), helperKey(t)
	path := Path(dir, key, scopeA)
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(counting(1), time.Now()) })
	value := func(want ...int) int {
		t.Helper()
		contents, err := Open(path, key, scopeA)
		if err != nil {
			t.Fatal(err)
		}
		n, err := counted(contents)
		if err != nil || n < want[0] || n > want[len(want)-1] {
			t.Fatalf("the vault holds %d, want one of %v: %v", n, want, err)
		}
		return n
	}
	now := value(1)
	for _, call := range calls {
		kills := 0
		for killed := true; killed; {
			cmd := helper(t, "once", dir, "")
			inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, kills+1)
			cmd.Args = append([]string{strace, "-f", "-qq", "-o", os.DevNull, "-e", inject, cmd.Path}, cmd.Args[1:]...)
			cmd.Path = strace
			// strace counts the calls of each thread.
			cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
			err := cmd.Run()
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled()) {
				t.Fatalf("%s: %v", inject, err)
			}
			if killed = err != nil; killed {
				kills++
				now = value(now, now+1)
			} else {
				now = value(now + 1)
			}
		}
		if got := names(t, filepath.Dir(path)); len(got) != 1 {
			t.Errorf("after kills at %s: left %q", call, got)
		}
		t.Logf("%s: killed at each of %d calls", call, kills)
	}
}
