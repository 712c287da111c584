//go:build linux

package inject

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// given is an order for a child that finds its TOKEN in a file.
func given(t *testing.T) (o order, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "token")
	return order{Supervisor: defaults(), First: token("good"), Each: []FileSpec{{Name: "TOKEN", Path: path, Mode: defaultMode}}}, path
}

func wantGoneFile(t *testing.T, path string) {
	t.Helper()
	wantNames(t, filepath.Dir(path))
}

// What changes in files only is told by a signal: one, and to the same child.
// What changes besides restarts it, once for both.
func TestSignalledFile(t *testing.T) {
	o, path := given(t)
	o.OnChange = []Reaction{{Names: "TOKEN", Action: ChangeSignal, Signal: syscall.SIGHUP}}
	s := run(t, o, "child-file")
	pid, got := s.ready()
	if got != "good" {
		t.Errorf("the first child finds %q", got)
	}
	for _, value := range []string{"newer", "newest"} {
		s.update(token(value))
		if got, want := s.out.next("HUP"), fmt.Sprintf("got SIGHUP %d %s ", pid, value); got != want {
			t.Errorf("the child says %q, want %q", got, want)
		}
		if e := s.event(EventGiven); e.PID != pid || e.Changes.String() != "TOKEN changed" {
			t.Errorf("event %+v", e)
		}
	}
	s.update(map[string]string{"TOKEN": "last", "OTHER": "x"})
	if got, want := s.out.next("the second child"), " last x"; !strings.HasPrefix(got, "ready ") || !strings.HasSuffix(got, want) {
		t.Errorf("then came %q, want %q", got, want)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	if n := strings.Count(s.stderr(), "msg=started"); n != 2 {
		t.Errorf("%d children were started", n)
	}
	wantGoneFile(t, path)
}

// A variable that changed and restarts nothing is the next child's.
func TestVariableIsTheNextChilds(t *testing.T) {
	o, _ := given(t)
	o.OnChange = []Reaction{{Names: "OTHER", Action: ChangeNone}}
	s := run(t, o, "child-file")
	s.ready()
	s.update(map[string]string{"TOKEN": "good", "OTHER": "x"})
	s.event(EventStale)
	s.update(map[string]string{"TOKEN": "next", "OTHER": "x"})
	if _, got := s.ready(); got != "next x" {
		t.Errorf("the second child finds %q", got)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
}

// Whatever ends a child, no file of its secrets is left.
func TestFilesAreRemoved(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		argv []string
		end  func(s *supervised, pid int)
		want int
	}{
		"it ends by itself":     {argv: []string{"child-exit", "7"}, want: 7},
		"it kills itself":       {argv: []string{"child-die", "9"}, want: 137},
		"it cannot be started":  {argv: []string{broken}, want: 126},
		"it is not found":       {argv: []string{"no-such-command"}, want: 127},
		"it is killed":          {argv: []string{"child-file"}, end: func(s *supervised, pid int) { syscall.Kill(pid, syscall.SIGKILL) }, want: 137},
		"a stop from outside":   {argv: []string{"child-file"}, end: func(s *supervised, _ int) { s.signal(syscall.SIGTERM) }, want: 0},
		"its secrets are bad":   {argv: []string{"child-file"}, end: func(s *supervised, _ int) { s.update(token("bad")) }, want: 3},
		"it is stopped by INT":  {argv: []string{"child-die", "2"}, want: 130},
		"it is killed too late": {argv: []string{"child-trap"}, end: func(s *supervised, _ int) { s.signal(syscall.SIGTERM) }, want: 137},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, path := given(t)
			o.NoRollback, o.KillAfter = true, 50*time.Millisecond
			s := run(t, o, test.argv...)
			if test.end != nil {
				pid, _ := s.ready()
				wantFile(t, path, "good", 0o600)
				test.end(s, pid)
			}
			s.wantEnd(test.want)
			wantGoneFile(t, path)
		})
	}
}

func TestFilesAreRolledBack(t *testing.T) {
	o, path := given(t)
	o.Probation = 2 * time.Second
	s := run(t, o, "child-file")
	s.event(EventAccepted)
	s.ready()
	s.update(token("bad"))
	if _, got := s.ready(); got != "bad" {
		t.Errorf("the second child finds %q", got)
	}
	if _, got := s.ready(); got != "good" {
		t.Errorf("the third child finds %q", got)
	}
	wantFile(t, path, "good", 0o600)
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	wantGoneFile(t, path)
}

// A second child that is not ready leaves the first with its file.
func TestOverlapPutsFilesBack(t *testing.T) {
	o, path := given(t)
	o.Overlap, o.ReadyAfter = true, time.Hour
	s := run(t, o, "child-file")
	pid, _ := s.ready()
	s.update(token("bad"))
	if _, got := s.ready(); got != "bad" {
		t.Errorf("the second child finds %q", got)
	}
	s.event(EventQuarantined)
	wantFile(t, path, "good", 0o600)
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.out.after(fmt.Sprintf("got SIGHUP %d good ", pid))
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	wantGoneFile(t, path)
}

// While a file cannot be written the child keeps all of what it has.
func TestUnwritableFilesChangeNothing(t *testing.T) {
	o, path := given(t)
	second := filepath.Join(filepath.Dir(path), "below", "second")
	if err := os.Mkdir(filepath.Dir(second), 0o700); err != nil {
		t.Fatal(err)
	}
	o.Each = append(o.Each, FileSpec{Name: "OTHER", Path: second, Mode: defaultMode})
	o.First = map[string]string{"TOKEN": "good", "OTHER": "1"}
	o.Quarantine = 0
	s := run(t, o, "child-file")
	pid, _ := s.ready()
	if err := os.RemoveAll(filepath.Dir(second)); err != nil {
		t.Fatal(err)
	}
	s.update(map[string]string{"TOKEN": "new", "OTHER": "2"})
	s.event(EventQuarantined)
	wantFile(t, path, "good", 0o600)
	if err := os.Mkdir(filepath.Dir(second), 0o700); err != nil {
		t.Fatal(err)
	}
	s.update(map[string]string{"TOKEN": "newer", "OTHER": "3"})
	if next, got := s.ready(); got != "newer" || next == pid {
		t.Errorf("child %d finds %q", next, got)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	if want := "changed secrets are not used: writing secret"; !strings.Contains(s.stderr(), want) {
		t.Errorf("stderr does not say %q", want)
	}
}

func TestOnDisk(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		missing(t, "no memory file system here: %v", err)
	}
	for dir, want := range map[string]bool{"/dev/shm": false, "/proc": true, "/no/such": false} {
		if got := onDisk(dir); got != want {
			t.Errorf("onDisk(%q) = %v, want %v", dir, got, want)
		}
	}
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	warnOfDisks(log, []File{file("/dev/shm/a", "1", 0o600)})
	if said.Len() > 0 {
		t.Errorf("in memory: %s", &said)
	}
	warnOfDisks(log, []File{file("/dev/shm/a", "1", 0o600), file("/proc/b", "1", 0o600)})
	if got := said.String(); !strings.Contains(got, "/proc/b") || strings.Contains(got, "shm/a") {
		t.Errorf("on a disk: %s", got)
	}
}
