//go:build linux

package inject

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// atTerminal starts the line at a terminal of its own, as the leader of a
// session, which does not echo. The line's "%" stands for the supervising program
// with a child of that role.
func atTerminal(t *testing.T, line []string, o order, argv ...string) *supervised {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		missing(t, "no terminal can be made here: %v", err)
	}
	defer slave.Close()
	t.Cleanup(func() { master.Close() })
	modes, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	modes.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, modes); err != nil {
		t.Fatal(err)
	}
	s := prepare(t, nil, o, argv...)
	quoted := make([]string, len(s.cmd.Args))
	for i, arg := range s.cmd.Args {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	if line != nil {
		path, err := exec.LookPath(line[0])
		if err != nil {
			missing(t, "%s is not here", line[0])
		}
		s.cmd.Path, s.cmd.Args = path, nil
		for _, arg := range line {
			s.cmd.Args = append(s.cmd.Args, strings.ReplaceAll(arg, "%", strings.Join(quoted, " ")))
		}
	}
	s.terminal = master
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.begin()
	return s
}

func (s *supervised) typing(text string) {
	s.t.Helper()
	if _, err := s.terminal.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

const (
	ctrlC         = "\x03"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

func TestLedTerminal(t *testing.T) {
	s := atTerminal(t, nil, order{Supervisor: defaults()}, "child-tty")
	if pid, group := s.ready(); strconv.Itoa(pid) != group {
		t.Errorf("child %d is in group %s", pid, group)
	}
	s.typing("hello\n")
	s.out.after("read hello")
	s.typing(ctrlC)
	s.out.after("got SIGINT")
	if err := pty.Setsize(s.terminal, &pty.Winsize{Rows: 33, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	if got := s.out.next("after Ctrl-C"); got != "got SIGWINCH" { // no second INT
		t.Errorf("line %q, want SIGWINCH", got)
	}
	s.out.after("size 33 77")
	s.typing(ctrlZ) // nobody could continue it: it goes on at once
	s.out.after("got SIGCONT")
	s.typing("more\n")
	s.out.after("read more")
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
}

// A shell's job: Ctrl-Z stops it, fg continues it, and so does bg followed by fg.
func TestJobControl(t *testing.T) {
	s := atTerminal(t, []string{"bash", "--norc", "--noediting", "-i"}, order{Supervisor: defaults()}, "child-tty")
	s.typing("PS1=; stty -echo\n")
	s.typing("set -b; " + s.line() + "\n")
	pid, group := s.ready()
	if strconv.Itoa(pid) != group {
		t.Errorf("child %d is in group %s", pid, group)
	}
	s.typing("one\n")
	s.out.after("read one")
	s.typing(ctrlZ)
	s.out.after("[1]+  Stopped")
	s.typing("echo shell is here\n")
	s.out.after("shell is here")
	s.typing("fg\n")
	s.out.after("got SIGCONT")
	s.typing("two\n")
	s.out.after("read two")
	s.typing(ctrlZ)
	s.out.after("[1]+  Stopped")
	s.typing("bg\n")
	s.out.after("[1]+  Stopped") // it went on, and stopped again since it reads
	s.typing("echo shell is back\n")
	s.out.after("shell is back")
	s.typing("fg\n")
	s.typing("three\n")
	s.out.after("read three")
	s.typing(ctrlC)
	s.out.after("got SIGINT")
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.event(EventEnded) // until then the child would read what is typed
	s.typing("echo status $?\n")
	s.out.after("status 0")
	s.typing("exit 9\n")
	s.wantEnd(9)
}

// line is the command line for a shell that is typed to.
func (s *supervised) line() string {
	text := fmt.Sprintf("'%s' '%s' child-tty", filepath.Join(s.dir, "supervise"), s.order)
	return text
}

func statOf(t *testing.T, pid int) procStat {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := parseStat(pid, text)
	if !ok {
		t.Fatalf("/proc/%d/stat is %q", pid, text)
	}
	return stat
}

func TestSharedTerminal(t *testing.T) {
	t.Run("pipeline", func(t *testing.T) {
		s := atTerminal(t, []string{"bash", "-c", `trap : INT; % | (trap '' INT; cat); echo end ${PIPESTATUS[0]}`}, order{Supervisor: defaults()}, "child-trap", "3")
		pid, _ := s.ready()
		s.typing(ctrlC)
		s.out.after(fmt.Sprintf("got %d SIGINT", pid))
		if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		if got, want := s.out.next("after Ctrl-C"), fmt.Sprintf("got %d SIGUSR1", pid); got != want { // no second INT
			t.Errorf("line %q, want %q", got, want)
		}
		if err := syscall.Kill(statOf(t, pid).parent, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		s.out.after(fmt.Sprintf("got %d SIGTERM", pid))
		s.wait()
	})
	t.Run("Ctrl-C ends a script", func(t *testing.T) {
		s := atTerminal(t, []string{"bash", "-c", `%; echo the script goes on`}, order{Supervisor: defaults()}, "sh", "-c", "echo ready $$; exec sleep 1000")
		s.ready()
		s.typing(ctrlC)
		s.wantEnd(130)
		for _, line := range s.out.rest() {
			if strings.Contains(line, "the script goes on") {
				t.Error("the script went on")
			}
		}
	})
	t.Run("so does Ctrl-\\", func(t *testing.T) {
		s := atTerminal(t, []string{"bash", "-c", `ulimit -c 0; % || kill -s KILL $$`}, order{Supervisor: defaults()}, "sh", "-c", "echo ready $$; exec sleep 1000")
		s.ready()
		s.typing(ctrlBackslash)
		s.wantEnd(128 + 9)
	})
}

func TestLedTerminalDiesOfTheSame(t *testing.T) {
	for key, sig := range map[string]syscall.Signal{ctrlC: syscall.SIGINT, ctrlBackslash: syscall.SIGQUIT} {
		s := atTerminal(t, nil, order{Supervisor: defaults()}, "sh", "-c", "ulimit -c 0; echo ready $$; exec sleep 1000")
		s.ready()
		s.typing(key)
		s.cmd.Wait()
		ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !ws.Signaled() || ws.Signal() != sig || ws.CoreDump() {
			t.Errorf("%s: ended with %v", sig, s.cmd.ProcessState)
		}
	}
}

func TestTerminalIsRestored(t *testing.T) {
	s := atTerminal(t, []string{"sh", "-c", "stty echo; stty -a > $0.before; %; stty -a > $0.after; ps -o tpgid= -p $$; echo group $$", filepath.Join(t.TempDir(), "modes")},
		order{Supervisor: defaults()}, "child-tty")
	pid, _ := s.ready()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.out.after("group ")
	s.wantEnd(0)
	base := s.cmd.Args[3]
	before, err1 := os.ReadFile(base + ".before")
	after, err2 := os.ReadFile(base + ".after")
	if err1 != nil || err2 != nil || string(before) != string(after) {
		t.Errorf("before: %s\nafter: %s (%v, %v)", before, after, err1, err2)
	}
}
