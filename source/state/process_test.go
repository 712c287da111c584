//go:build !windows

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

// Whatever its name, a process is listed while it runs, and no longer when it
// was killed, even before its parent asked for its status.
func TestListOtherProcess(t *testing.T) {
	dir := t.TempDir()
	first, second := startHelper(t, "register", dir, 0), startHelper(t, "register", dir, 0)
	first.line(t)
	second.line(t)
	pids := []int{first.Process.Pid, second.Process.Pid}
	slices.Sort(pids)
	got := list(t, dir)
	if len(got) != 2 || got[0].PID != pids[0] || got[1].PID != pids[1] || got[0].Command != "helper" {
		t.Errorf("listed %+v, want pids %v", got, pids)
	}

	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.stdout.ReadString(0) // ends when the process does
	for got = list(t, dir); len(got) == 2; got = list(t, dir) {
		// Its files are closed a moment before it is seen to be gone.
	}
	if len(got) != 1 || got[0].PID != second.Process.Pid {
		t.Errorf("listed %+v after pid %d was killed", got, first.Process.Pid)
	}
	first.Wait()

	second.stdin.Close()
	if err := second.Wait(); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(filepath.Join(dir, registerDir)); err != nil || len(files) != 0 {
		t.Errorf("left %v, %v", files, err)
	}
}

// nobody is a user who owns nothing.
const nobody = 65534

func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		name    string
		make    func(dir string) error
		refused string // part of the error; empty: none
	}{
		{"missing", func(string) error { return nil }, ""},
		{"there", func(dir string) error { return os.Mkdir(dir, 0o700) }, ""},
		{"others may read", func(dir string) error { return os.Mkdir(dir, 0o755) }, ""},
		{"the group may write", func(dir string) error { return makeDir(dir, 0o770) }, "has mode 0770: others can write in it"},
		{"all may write", func(dir string) error { return makeDir(dir, 0o777) }, "has mode 0777: others can write in it"},
		{"all may write, none may delete", func(dir string) error { return makeDir(dir, 0o777|fs.ModeSticky) }, "others can write in it"},
		{"a link to such", func(dir string) error {
			return errors.Join(makeDir(dir+"x", 0o777), os.Symlink(dir+"x", dir))
		}, "others can write in it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			if test.name == "missing" {
				dir = filepath.Join(dir, "made")
			}
			if err := test.make(dir); err != nil {
				t.Fatal(err)
			}
			err := Prepare(dir)
			if test.refused == "" {
				if info, statErr := os.Stat(dir); err != nil || statErr != nil || test.name == "missing" && info.Mode() != fs.ModeDir|0o700 {
					t.Errorf("Prepare: %v, made with mode %v", err, info.Mode())
				}
				return
			}
			if source.CodeOf(err) != source.CodeStateDir || errors.Is(err, ErrNotWritable) || !strings.Contains(err.Error(), test.refused) {
				t.Errorf("Prepare: %v, want one with %q", err, test.refused)
			}
		})
	}
}

// makeDir makes dir with that mode, whatever the umask.
func makeDir(dir string, mode fs.FileMode) error {
	return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode))
}

func TestPrepareNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/self/nowhere"} {
		err := Prepare(dir)
		if source.CodeOf(err) != source.CodeStateDir || !errors.Is(err, ErrNotWritable) || !strings.HasPrefix(err.Error(), "state directory not writable: ") {
			t.Errorf("Prepare(%q) = %v", dir, err)
		}
	}
}

// What another user prepared is refused; what root keeps to itself is only not
// writable.
func TestPrepareOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("needs to be run by root")
		}
		t.Skip("needs to be run by root")
	}
	dir, err := os.MkdirTemp("", "infisync-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, test := range []struct {
		name        string
		owner, user int
		want        string
	}{
		{"root in nobody's", nobody, 0, fmt.Sprintf("belongs to user %d, not to user 0 who runs infisync", nobody)},
		{"nobody in its own", nobody, nobody, "<nil>"},
		{"nobody in another's", nobody - 1, nobody, fmt.Sprintf("belongs to user %d, not to user %d", nobody-1, nobody)},
		{"nobody in root's", 0, nobody, "state directory not writable: access "},
	} {
		// Readable for all: access must not be what decides.
		if err := errors.Join(os.Chown(dir, test.owner, test.owner), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
		got := ""
		if test.user == 0 {
			got = fmt.Sprint(Prepare(dir))
		} else {
			other := startHelper(t, "prepare", dir, uint32(test.user))
			got = other.line(t)
			if err := other.Wait(); err != nil {
				t.Error(err)
			}
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want one with %q", test.name, got, test.want)
		}
	}
}
