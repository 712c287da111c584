//go:build linux

package inject

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleDir makes a directory in which the test binary is found under the names of
// all roles.
func roleDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range roles() {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A supervised is the supervising program under test, with its child's output by
// lines and its events.
type supervised struct {
	t       *testing.T
	dir     string
	cmd     *exec.Cmd
	out     *lines
	events  *lines
	control *os.File
	order   string // JSON
	log     string // path of its stderr

	terminal *os.File // the other end of its terminal; nil: it has none
}

// run starts the supervising program with a child of that role.
func run(t *testing.T, o order, argv ...string) *supervised {
	t.Helper()
	return runUnder(t, nil, o, argv...)
}

// runUnder is run with the wrapper, a command line, before the program.
func runUnder(t *testing.T, wrapper []string, o order, argv ...string) *supervised {
	t.Helper()
	s := prepare(t, wrapper, o, argv...)
	s.begin()
	return s
}

// prepare is run without the start, so that the command can be changed.
func prepare(t *testing.T, wrapper []string, o order, argv ...string) *supervised {
	t.Helper()
	dir := roleDir(t)
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	line := append(append(wrapper, filepath.Join(dir, "supervise"), string(text)), argv...)
	s := &supervised{t: t, dir: dir, order: string(text), cmd: exec.Command(line[0], line[1:]...), log: filepath.Join(dir, "stderr")}
	s.cmd.Env = append(os.Environ(), "PATH="+dir+":/usr/bin:/bin", noRaceSleep)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:    true,            // by which stop finds what it left
		Pdeathsig: syscall.SIGTERM, // at a time-out of the tests nobody calls stop
	}
	return s
}

// noRaceSleep spares each program a second at its end under the race detector.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// begin starts what was prepared.
func (s *supervised) begin() {
	t := s.t
	t.Helper()
	out, outEnd := s.terminal, (*os.File)(nil)
	if out == nil {
		out, outEnd = pipe(t)
	}
	control, controlEnd := pipe(t)
	events, eventsEnd := pipe(t)
	if s.cmd.Stdout == nil {
		s.cmd.Stdout = outEnd
	}
	s.cmd.ExtraFiles = []*os.File{control, eventsEnd}
	s.control = controlEnd
	s.out, s.events = readLines(t, out), readLines(t, events)
	if s.cmd.Stderr == nil {
		// A file, since a pipe would make Wait wait for every descendant.
		log, err := os.Create(s.log)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		s.cmd.Stderr = log
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if outEnd != nil {
		outEnd.Close()
	}
	eventsEnd.Close()
	control.Close()
	t.Cleanup(s.stop)
}

// stop ends the program and everything that it has left.
func (s *supervised) stop() {
	session := s.cmd.Process.Pid
	s.cmd.Process.Kill()
	s.cmd.Wait()
	for _, p := range processes() {
		if sid, err := unix.Getsid(p.pid); err == nil && sid == session {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
	if s.t.Failed() {
		s.t.Logf("stderr:\n%s", s.stderr())
	}
}

func (s *supervised) stderr() string {
	text, err := os.ReadFile(s.log)
	if err != nil && !os.IsNotExist(err) {
		s.t.Error(err)
	}
	return string(text)
}

// missing leaves the test out since something is not here; in continuous
// integration that is a failure.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// update sends environments, all in one write.
func (s *supervised) update(each ...map[string]string) {
	s.t.Helper()
	var text []byte
	for _, vars := range each {
		line, _ := json.Marshal(vars)
		text = append(append(text, line...), '\n')
	}
	if _, err := s.control.Write(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *supervised) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// event waits for the next event of that kind; those before it are dropped.
func (s *supervised) event(kind EventKind) Event {
	s.t.Helper()
	for {
		var e Event
		line := s.events.next(fmt.Sprintf("event %q", kind))
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.t.Fatalf("event %q: %v", line, err)
		}
		if e.Kind == kind {
			return e
		}
	}
}

// ready waits for a child to be ready and returns its pid and its token.
func (s *supervised) ready() (pid int, token string) {
	s.t.Helper()
	fields := strings.Fields(s.out.after("ready ") + " ")
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return pid, strings.Join(fields[1:], " ")
}

// wait waits for the end and returns what a shell would have in $?.
func (s *supervised) wait() int {
	s.t.Helper()
	hung := time.AfterFunc(hangs, func() {
		s.t.Error("it does not end")
		s.cmd.Process.Kill()
	})
	defer hung.Stop()
	err := s.cmd.Wait()
	if s.cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// wantEnd waits for the end with that status.
func (s *supervised) wantEnd(code int) {
	s.t.Helper()
	if got := s.wait(); got != code {
		s.t.Errorf("exit status %d, want %d\n%s", got, code, s.stderr())
	}
}

// hangs is far above anything seen. Without it a hang would hide its reason.
const hangs = 20 * time.Second

// lines gives the lines of a stream as they come.
type lines struct {
	t  *testing.T
	ch chan string
}

func readLines(t *testing.T, r io.Reader) *lines {
	l := &lines{t: t, ch: make(chan string, 4096)}
	go func() {
		defer close(l.ch)
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			l.ch <- strings.TrimSuffix(scanner.Text(), "\r") // terminals add it
		}
	}()
	return l
}

func (l *lines) next(what string) string {
	l.t.Helper()
	select {
	case line, ok := <-l.ch:
		if !ok {
			l.t.Fatalf("waiting for %s: the stream ended", what)
		}
		return line
	case <-l.t.Context().Done():
	case <-time.After(hangs):
	}
	l.t.Fatalf("waiting for %s: nothing came", what)
	return ""
}

// after waits for a line with that beginning and returns the rest of it.
func (l *lines) after(prefix string) string {
	l.t.Helper()
	for {
		if rest, ok := strings.CutPrefix(l.next(fmt.Sprintf("%q", prefix)), prefix); ok {
			return rest
		}
	}
}

// rest returns what is left when the stream has ended.
func (l *lines) rest() []string {
	var out []string
	for line := range l.ch {
		out = append(out, line)
	}
	return out
}

// wantGone waits until no process has that pid. The one that ends it must have
// been told to already.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // it is gone
	}
	defer unix.Close(fd)
	for {
		const limit = 60_000 // ms, far above anything seen
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, limit)
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Errorf("process %d is still there", pid)
		}
		return
	}
}
