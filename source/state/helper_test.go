//go:build !windows

package state

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// roleVariable makes the test binary another process.
const roleVariable = "STATE_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := act(role, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// act does what the other process is there for: "register" is in the register
// until stdin ends and prints a line once it is; "prepare" prints what Prepare
// says; "count" counts one more pull, of counting's set of that number; "beat"
// counts four more pulls that changed nothing.
func act(role, dir string) error {
	switch role {
	case "register":
		r, err := Register(dir, Entry{Folder: "dev-00000001", Command: "/bin/helper"})
		if err != nil {
			return err
		}
		fmt.Println("ready")
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		return r.Remove()
	case "prepare":
		fmt.Println(Prepare(dir))
		return nil
	case "count":
		_, err := Update(context.Background(), dir, scope, func(f *File) error {
			f.PullCount++
			f.Record(scope, counting(f.PullCount), Hasher{}, start)
			return nil
		})
		return err
	}
	if role == "beat" {
		p := NewPulse(dir, scope)
		defer p.Close()
		for range 4 {
			if _, err := p.Beat(context.Background(), pulled); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("unknown role %q", role)
}

// A helper is the test binary as another process.
type helper struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
}

// startHelper starts a helper under a name that is hard to find in
// /proc/PID/stat, and by another user when uid is not 0.
func startHelper(t *testing.T, role, dir string, uid uint32) helper {
	t.Helper()
	executable := os.Args[0]
	if uid != 0 {
		executable = publicCopy(t, executable)
	}
	link := filepath.Join(filepath.Dir(executable), "h) Z 1 (")
	if err := os.Symlink(executable, link); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), link, dir)
	cmd.Env = []string{roleVariable + "=" + role}
	cmd.Stderr = os.Stderr
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return helper{cmd, stdin, bufio.NewReader(stdout)}
}

// publicCopy returns a copy of the executable that every user can start.
func publicCopy(t *testing.T, executable string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "infisync-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data, err := os.ReadFile(executable)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "helper")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func (h helper) line(t *testing.T) string {
	t.Helper()
	line, err := h.stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}
