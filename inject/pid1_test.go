//go:build linux

package inject

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asPID1 is the command line that makes a program PID 1 of a namespace.
func asPID1(t *testing.T) []string {
	t.Helper()
	line := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		line = append(line, "--map-root-user")
	}
	if out, err := exec.Command(line[0], append(line[1:], "true")...).CombinedOutput(); err != nil {
		missing(t, "no PID namespace can be made here: %v: %s", err, out)
	}
	return line
}

func TestReapsOrphansAsPID1(t *testing.T) {
	s := runUnder(t, asPID1(t), order{Supervisor: defaults()}, "child-orphan", "500", "42")
	s.wantEnd(42)
	if !strings.Contains(s.stderr(), "waited for orphans") {
		t.Error("no orphan was waited for")
	}
}

func TestReapsOrphansAsSubreaper(t *testing.T) {
	s := run(t, order{Supervisor: defaults()}, "child-orphan", "50", "42")
	s.wantEnd(42)
	if !strings.Contains(s.stderr(), "waited for orphans") {
		t.Error("no orphan was waited for")
	}
}

func TestStopAsPID1(t *testing.T) {
	s := runUnder(t, asPID1(t), order{Supervisor: defaults()}, "child-trap", "5")
	s.ready()
	init := s.initPID()
	if err := syscall.Kill(init, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wantEnd(5)
}

func TestStopAsPID1BeforeTheChild(t *testing.T) {
	s := runUnder(t, asPID1(t), order{Early: true}, "child-trap")
	s.event("catching")
	if err := syscall.Kill(s.initPID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wantEnd(143)
}

// initPID is the pid, seen from here, of what runs as PID 1 in the namespace.
func (s *supervised) initPID() int {
	s.t.Helper()
	for _, p := range processes() {
		if p.parent == s.cmd.Process.Pid {
			return p.pid
		}
	}
	s.t.Fatal("nothing runs in the namespace")
	return 0
}

func TestKilledSupervisorEndsTheChild(t *testing.T) {
	s := run(t, order{Supervisor: defaults()}, "child-trap", "0")
	pid, _ := s.ready()
	s.signal(syscall.SIGKILL)
	s.out.after("got ")
	wantGone(t, pid)
}

func TestLeftoversAfterANaturalEnd(t *testing.T) {
	for _, kill := range []bool{false, true} {
		o := order{Supervisor: defaults()}
		o.Supervisor.KillLeftovers = kill
		s := prepare(t, nil, o)
		s.cmd.Args = append(s.cmd.Args, "sh", "-c", filepath.Join(s.dir, "child-trap")+" 0 & read line < "+filepath.Join(s.dir, "fifo")+"; exit 4")
		if err := syscall.Mkfifo(filepath.Join(s.dir, "fifo"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.begin()
		left, _ := s.ready()
		if err := os.WriteFile(filepath.Join(s.dir, "fifo"), []byte("go\n"), 0); err != nil {
			t.Fatal(err)
		}
		s.wantEnd(4)
		err := syscall.Kill(left, 0)
		if alive := err == nil; alive == kill {
			t.Errorf("KillLeftovers %v: what was left is alive: %v", kill, alive)
		}
	}
}
