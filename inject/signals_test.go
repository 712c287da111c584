//go:build linux

package inject

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRewrite(t *testing.T) {
	o := order{Supervisor: defaults()}
	o.Supervisor.Rewrite = map[syscall.Signal]syscall.Signal{
		syscall.SIGHUP: syscall.SIGUSR1, syscall.SIGUSR2: 0, syscall.SIGINT: syscall.SIGTERM,
	}
	s := run(t, o, "child-trap", "6")
	pid, _ := s.ready()
	s.signal(syscall.SIGUSR2)
	s.signal(syscall.SIGHUP)
	s.signal(syscall.SIGINT)
	if got, want := s.out.next("USR1"), fmt.Sprintf("got %d SIGUSR1", pid); got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	s.out.after(fmt.Sprintf("got %d SIGTERM", pid))
	s.wantEnd(6)
}

func TestSignalScope(t *testing.T) {
	for _, scope := range []SignalScope{ScopeGroup, ScopeChild} {
		o := order{Supervisor: defaults()}
		o.Supervisor.SignalScope = scope
		s := prepare(t, nil, o)
		trap := filepath.Join(s.dir, "child-trap")
		s.cmd.Args = append(s.cmd.Args, "sh", "-c", trap+" 0 & exec "+trap+" 0")
		s.begin()
		first, _ := s.ready()
		second, _ := s.ready()
		child := s.event(EventStarted).PID
		s.signal(syscall.SIGHUP)
		got := []string{s.out.next("HUP")}
		if scope == ScopeGroup {
			got = append(got, s.out.next("HUP"))
		}
		s.signal(syscall.SIGTERM) // and then the rest of the group in either case
		s.wantEnd(0)
		wantGone(t, first)
		wantGone(t, second)
		for _, line := range got {
			if line != fmt.Sprintf("got %d SIGHUP", child) && scope == ScopeChild {
				t.Errorf("scope %s: %q, but the child is %d", scope, line, child)
			}
		}
	}
}

func TestParseSignal(t *testing.T) {
	for in, want := range map[string]syscall.Signal{
		"TERM": 15, "SIGTERM": 15, "term": 15, "sigHup": 1, "9": 9, "40": 40,
		"": 0, "0": 0, "65": 0, "-1": 0, "TERMX": 0, "SIG": 0, "1x": 0,
	} {
		got, err := ParseSignal(in)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("ParseSignal(%q) = %v, %v; want %d", in, got, err, want)
		}
	}
}

// What this program gets for itself does not reach the child: URG, by which the
// runtime preempts goroutines, CHLD, and PIPE from a broken stderr, which does not
// end this program either.
func TestNoStraySignals(t *testing.T) {
	o := order{Supervisor: defaults(), First: token("one")}
	o.OnChange = []Reaction{{Action: ChangeNone}}
	s := prepare(t, nil, o)
	fifo := filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s.cmd.Args = append(s.cmd.Args, "sh", "-c", `trap 'echo stray' URG PIPE CHLD PROF; echo ready $$; read line < "$0"; echo end; exit 5`, fifo)
	broken, stderr := pipe(t)
	broken.Close()
	s.cmd.Stderr = stderr
	s.begin()
	s.ready()
	for _, sig := range []syscall.Signal{syscall.SIGURG, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGPROF} {
		s.signal(sig)
	}
	s.update(token("two"))
	s.event(EventStale) // said on stderr, too
	s.signal(syscall.SIGPIPE)
	if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	if got := s.out.next("end"); got != "end" {
		t.Errorf("line %q", got)
	}
	if code := s.wait(); code != 5 {
		t.Errorf("exit status %d, want 5", code)
	}
}

// A stop is not dropped however many signals wait before it, and stays behind them.
func TestStopIsNotLostInAFlood(t *testing.T) {
	s := &Signals{incoming: make(chan os.Signal, manySignals), quit: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1), taken: true}
	defer s.Release()
	var want []syscall.Signal
	for range manySignals {
		s.incoming <- syscall.SIGUSR1
		want = append(want, syscall.SIGUSR1)
	}
	for at, sig := range stopSignals {
		s.stops[at] = make(chan os.Signal, 1)
		s.stops[at] <- sig
		want = append(want, sig)
	}
	go s.collect()
	var got []syscall.Signal
	for len(got) < len(want) {
		<-s.wake
		got = append(got, s.take()...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the last signals are %v, want %v", got[manySignals-4:], want[manySignals-4:])
	}
}

// A stop that comes just before the signals are released is told, and not lost
// between two of their effects.
func TestStopBeforeRelease(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 100 {
		var s Signals
		s.CatchStops()
		s.CatchStops() // is the same once more
		// To this thread, so that it has come when the call returns.
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		s.Release()
		wantError(t, s.Stopped(), CodeStopped, 143, "stopped by SIGTERM")
	}
}
