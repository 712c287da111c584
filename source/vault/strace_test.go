//go:build linux

package vault

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"infisync/source/state/disk/disktest"
)

// A process killed at any system call of an update leaves the vault before or
// the one after, whole; one that was not killed leaves nothing else beside it.
func TestKilledAtSystemCall(t *testing.T) {
	dir, key := t.TempDir(), helperKey(t)
	path := Path(dir, key, scopeA)
	update(t, dir, key, scopeA, func(c *Contents) { c.ApplyPull(counting(1), time.Now()) })
	now := 1
	disktest.KillAtCalls(t, func() *exec.Cmd { return helper(t, "once", dir, "") }, func(t *testing.T, killed bool) {
		contents, err := Open(path, key, scopeA)
		if err != nil {
			t.Fatal(err)
		}
		n, err := counted(contents)
		if err != nil || n != now+1 && !(killed && n == now) {
			t.Fatalf("the vault holds %d after %d, killed: %t; %v", n, now, killed, err)
		}
		now = n
		if got := names(t, filepath.Dir(path)); !killed && len(got) != 1 {
			t.Errorf("left %q", got)
		}
	})
}
