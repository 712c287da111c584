//go:build linux

package inject

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// defaults are infisync's own, with a debounce that tests need not wait for.
func defaults() Supervisor {
	return Supervisor{
		StopTimeout: 10 * time.Second,
		Debounce:    20 * time.Millisecond,
		BackoffMin:  10 * time.Millisecond, BackoffMax: 40 * time.Millisecond,
		Probation: 10 * time.Second, Quarantine: 10 * time.Minute,
	}
}

func TestExitStatus(t *testing.T) {
	dir := roleDir(t)
	file := filepath.Join(dir, "plain")
	if err := os.WriteFile(file, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	nothing := filepath.Join(dir, "nothing")
	if err := os.WriteFile(nothing, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		argv []string
		want int
		text string
	}{
		{[]string{"child-exit", "0"}, 0, ""},
		{[]string{"child-exit", "7"}, 7, ""},
		{[]string{"child-exit", "255"}, 255, ""},
		{[]string{"child-die", "15"}, 143, ""},
		{[]string{"child-die", "9"}, 137, ""},
		{[]string{"child-die", "11"}, 139, ""},
		{[]string{"no-such-command"}, 127, `"no-such-command": command not found`},
		{[]string{"/no/such/file"}, 127, `"/no/such/file": no such file`},
		{[]string{""}, 127, `"": command not found`},
		{[]string{script}, 127, "its interpreter or loader was not found"},
		{[]string{file}, 126, "permission denied"},
		{[]string{nothing}, 126, "exec format error"},
		{[]string{dir}, 126, "is a directory"},
		{[]string{file + "/below"}, 126, "not a directory"},
		{[]string{"child-exit", "long"}, 126, `"child-exit": argument list too long`},
	}
	for _, tt := range tests {
		for _, role := range []string{"supervise", "becomes"} {
			t.Run(role+" "+tt.argv[0], func(t *testing.T) {
				var s *supervised
				if role == "supervise" {
					s = prepare(t, nil, order{Supervisor: defaults()}, tt.argv...)
				} else {
					s = prepare(t, nil, order{})
					s.cmd.Path = filepath.Join(s.dir, "becomes")
					s.cmd.Args = append([]string{"becomes"}, tt.argv...)
				}
				s.begin()
				s.wantEnd(tt.want)
				if !strings.Contains(s.stderr(), tt.text) {
					t.Errorf("stderr %q, want %q in it", s.stderr(), tt.text)
				}
			})
		}
	}
}

func TestLookupInTheChildsPath(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write := func(dir string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, "prog"), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(first, 0o644)
	write(second, 0o755)
	t.Chdir(second)
	tests := []struct {
		path []string // PATH, if any
		want string
		code string
	}{
		{[]string{"PATH=" + first + ":" + second}, second + "/prog", ""},
		{[]string{"PATH=/no/such:" + first + "/prog:" + second + "/"}, second + "/prog", ""},
		{[]string{"PATH=" + first + ":"}, "./prog", ""},
		{[]string{"PATH=" + first}, "", CodeNotExecutable},
		{[]string{"PATH=/no/such"}, "", CodeNotFound},
		{nil, "", CodeNotFound},
	}
	for _, tt := range tests {
		env, _, err := Build(tt.path, nil, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Command{Argv: []string{"prog"}}.resolve(env)
		if tt.code == "" && (err != nil || got != tt.want) {
			t.Errorf("resolve with %q = %q, %v; want %q", tt.path, got, err, tt.want)
		}
		if e, ok := err.(*Error); tt.code != "" && (!ok || e.Code != tt.code) {
			t.Errorf("resolve with %q = %q, %v; want code %q", tt.path, got, err, tt.code)
		}
	}
}

func TestChangeRestarts(t *testing.T) {
	s := run(t, order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}, "child-trap", "5")
	first, token := s.ready()
	if token != "one" {
		t.Errorf("the first child has %q", token)
	}
	started := s.event(EventStarted)
	s.update(map[string]string{"TOKEN": "two", "NEW": "x"})
	restarting := s.event(EventRestarting)
	if got := restarting.Changes.String(); got != "TOKEN changed, NEW added" || restarting.PID != first || restarting.Digest == started.Digest {
		t.Errorf("event %+v", restarting)
	}
	if ended := s.event(EventEnded); ended.PID != first || ended.Status.Code != 5 {
		t.Errorf("event %+v", ended)
	}
	second, token := s.ready()
	if token != "two" || second == first {
		t.Errorf("the second child is %d and has %q", second, token)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(5)
	if want := "restarting: TOKEN changed, NEW added"; !strings.Contains(s.stderr(), want) {
		t.Errorf("stderr does not say %q", want)
	}
}

func TestChangeUndoneRestartsNothing(t *testing.T) {
	o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}
	o.Supervisor.Debounce = time.Hour // nothing can be quiet for so long
	s := run(t, o, "child-trap", "0")
	pid, _ := s.ready()
	s.update(map[string]string{"TOKEN": "one"}) // the same: nothing at all
	s.update(map[string]string{"TOKEN": "two"})
	s.update(map[string]string{"TOKEN": "one"})
	if undone := s.event(EventUndone); undone.PID != pid {
		t.Errorf("event %+v", undone)
	}
	s.signal(syscall.SIGTERM)
	if ended := s.event(EventEnded); ended.PID != pid {
		t.Errorf("event %+v", ended)
	}
	s.wantEnd(0)
	if n := strings.Count(s.stderr(), "msg=started"); n != 1 {
		t.Errorf("%d children were started", n)
	}
}

func TestSeveralChangesRestartOnce(t *testing.T) {
	o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "0"}}
	o.Supervisor.Debounce = 500 * time.Millisecond
	s := run(t, o, "child-trap", "0")
	s.ready()
	s.update(token("1"), token("2"), token("3"), token("4"), token("5")) // none waits for this test to be scheduled
	if _, token := s.ready(); token != "5" {
		t.Errorf("the second child has %q", token)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	if n := strings.Count(s.stderr(), "msg=started"); n != 2 {
		t.Errorf("%d children were started", n)
	}
}

func TestChangeDuringAReplacement(t *testing.T) {
	o := order{Supervisor: defaults(), First: token("one")}
	o.StopTimeout = 300 * time.Millisecond
	s := run(t, o, "child-trap") // it goes on after TERM
	first, _ := s.ready()
	s.update(token("two"))
	s.out.after(fmt.Sprintf("got %d SIGTERM", first))
	s.update(token("three"))
	s.update(token("four"))
	for last := ""; last != "four"; { // "three", too, if this test is slower than the time-out
		_, last = s.ready()
		if last == "two" {
			t.Error("a child was started with secrets that were out of date")
		}
	}
}

// A stop wins: the child that was to follow is not started.
func TestStopDuringAReplacement(t *testing.T) {
	o := order{Supervisor: defaults(), First: token("one")}
	o.StopTimeout = 200 * time.Millisecond
	s := run(t, o, "child-trap") // it goes on after TERM
	pid, _ := s.ready()
	s.update(token("two"))
	s.out.after(fmt.Sprintf("got %d SIGTERM", pid))
	s.signal(syscall.SIGINT)
	s.out.after(fmt.Sprintf("got %d SIGINT", pid)) // and now it may take its time
	s.event(EventStopping)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.wantEnd(137)
	if n := strings.Count(s.stderr(), "msg=started"); n != 1 {
		t.Errorf("%d children were started", n)
	}
}

func TestOnChange(t *testing.T) {
	changed := map[string]string{"TOKEN": "two"}
	with := func(c Reaction) order {
		o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}
		o.Supervisor.OnChange = []Reaction{c}
		return o
	}
	t.Run("exit", func(t *testing.T) {
		s := run(t, with(Reaction{Action: ChangeExit}), "child-trap", "9")
		s.ready()
		s.update(changed)
		s.wantEnd(9)
	})
	t.Run("none", func(t *testing.T) {
		s := run(t, with(Reaction{Action: ChangeNone}), "child-trap", "0")
		pid, _ := s.ready()
		s.update(changed)
		if e := s.event(EventStale); e.PID != pid || e.Changes.String() != "TOKEN changed" {
			t.Errorf("event %+v", e)
		}
		s.signal(syscall.SIGTERM)
		s.out.after(fmt.Sprintf("got %d SIGTERM", pid))
		s.wantEnd(0)
	})
	t.Run("signal", func(t *testing.T) {
		s := run(t, with(Reaction{Action: ChangeSignal, Signal: syscall.SIGHUP}), "child-trap", "0")
		pid, _ := s.ready()
		s.update(changed)
		s.out.after(fmt.Sprintf("got %d SIGHUP", pid))
		s.signal(syscall.SIGTERM)
		s.wantEnd(0)
	})
}

func TestStopTimeoutKills(t *testing.T) {
	o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}
	o.Supervisor.StopTimeout = 50 * time.Millisecond
	s := run(t, o, "child-trap") // it goes on after TERM
	first, _ := s.ready()
	s.update(map[string]string{"TOKEN": "two"})
	if e := s.event(EventEnded); e.PID != first || e.Status.Code != 137 {
		t.Errorf("event %+v", e)
	}
	s.ready()
	s.signal(syscall.SIGTERM) // from outside: without limit
	s.out.after("got ")
	s.signal(syscall.SIGUSR1)
	s.out.after("got ")
	s.cmd.Process.Kill()
}

func TestKillAfterBoundsAStop(t *testing.T) {
	o := order{Supervisor: defaults()}
	o.Supervisor.KillAfter = 50 * time.Millisecond
	s := run(t, o, "child-trap")
	pid, _ := s.ready()
	s.signal(syscall.SIGTERM)
	s.wantEnd(137)
	wantGone(t, pid)
}

func TestWholeGroupEnds(t *testing.T) {
	t.Run("stop", func(t *testing.T) {
		s := prepare(t, nil, order{Supervisor: defaults()})
		s.cmd.Args = append(s.cmd.Args, "child-fork", filepath.Join(s.dir, "child-trap"), "0")
		s.begin()
		grandchild, _ := s.ready()
		s.signal(syscall.SIGTERM)
		s.wantEnd(143)
		wantGone(t, grandchild)
	})
	t.Run("restart waits for the last of them", func(t *testing.T) {
		o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}
		o.Supervisor.StopTimeout = 100 * time.Millisecond
		s := prepare(t, nil, o)
		s.cmd.Args = append(s.cmd.Args, "child-fork", filepath.Join(s.dir, "child-trap")) // it goes on after TERM
		s.begin()
		grandchild, _ := s.ready()
		s.event(EventStarted)
		s.update(map[string]string{"TOKEN": "two"})
		s.event(EventStarted)
		if err := syscall.Kill(grandchild, 0); err != syscall.ESRCH {
			t.Errorf("the first child's grandchild is there when the second child starts: %v", err)
		}
		s.signal(syscall.SIGKILL)
	})
}

func TestEndByItselfIsFinal(t *testing.T) {
	o := order{Supervisor: defaults(), First: map[string]string{"TOKEN": "one"}}
	s := run(t, o, "child-exit", "3")
	s.wantEnd(3)
	if n := strings.Count(s.stderr(), "msg=started"); n != 1 {
		t.Errorf("%d children were started", n)
	}
}

func TestStopBeforeTheChild(t *testing.T) {
	s := run(t, order{Early: true}, "child-trap")
	s.event("catching")
	s.signal(syscall.SIGINT)
	s.wantEnd(130)
	if want := "stopped by SIGINT before the command was started"; !strings.Contains(s.stderr(), want) {
		t.Errorf("stderr %q, want %q in it", s.stderr(), want)
	}
}

func TestEverySignalIsForwardedOnce(t *testing.T) {
	s := run(t, order{Supervisor: defaults()}, "child-trap", "0")
	pid, _ := s.ready()
	for _, sig := range catchable() {
		sig := sig.(syscall.Signal)
		if !forwardable(sig) || sig == syscall.SIGTERM {
			continue
		}
		s.signal(sig)
		if got, want := s.out.next(signalName(sig)), fmt.Sprintf("got %d %s", pid, signalName(sig)); got != want {
			t.Errorf("line %q, want %q", got, want)
		}
	}
	s.signal(syscall.SIGTERM)
	s.out.after(fmt.Sprintf("got %d SIGTERM", pid))
	s.wantEnd(0)
	if rest := s.out.rest(); len(rest) > 0 {
		t.Errorf("then came %q", rest)
	}
}
