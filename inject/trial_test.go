//go:build linux

package inject

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func token(value string) map[string]string { return map[string]string{"TOKEN": value} }

// onTrial starts a child with TOKEN=good and waits until it is accepted.
func onTrial(t *testing.T, o order, argv ...string) *supervised {
	t.Helper()
	o.First = token("good")
	s := run(t, o, argv...)
	s.event(EventAccepted)
	return s
}

func shortProbation() order {
	o := order{Supervisor: defaults()}
	o.Supervisor.Probation = 2 * time.Second
	return o
}

func TestBadSecretsAreRolledBack(t *testing.T) {
	s := onTrial(t, shortProbation(), "child-wants")
	s.ready()
	s.update(token("bad-1"))
	if _, got := s.ready(); got != "bad-1" {
		t.Errorf("the second child has %q", got)
	}
	s.event(EventEnded) // of the first
	failed := s.event(EventEnded)
	if failed.Status.Code != 3 {
		t.Errorf("event %+v", failed)
	}
	if e := s.event(EventQuarantined); e.Digest != failed.Digest {
		t.Errorf("event %+v, want the digest of %+v", e, failed)
	}
	pid, got := s.ready()
	if got != "good" {
		t.Errorf("the third child has %q", got)
	}
	s.event(EventAccepted)

	// The same again is not tried, a better one is.
	s.update(token("bad-1"))
	s.update(token("better"))
	s.event(EventReleased)
	if e := s.event(EventRestarting); e.PID != pid || e.Changes.String() != "TOKEN changed" {
		t.Errorf("event %+v", e)
	}
	if _, got := s.ready(); got != "better" {
		t.Errorf("the fourth child has %q", got)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(143)
	for _, want := range []string{
		"the child failed with the changed secrets: exit status 3",
		"going back to the previous secrets: TOKEN changed",
	} {
		if !strings.Contains(s.stderr(), want) {
			t.Errorf("stderr does not say %q", want)
		}
	}
}

// What a child was left running with is part of the secrets before a bad change.
func TestRollbackKeepsWhatRestartedNothing(t *testing.T) {
	o := shortProbation()
	o.OnChange = []Reaction{{Names: "NOTE", Action: ChangeNone}}
	s := onTrial(t, o, "child-wants")
	s.update(map[string]string{"TOKEN": "good", "NOTE": "new"})
	stale := s.event(EventStale)
	s.update(map[string]string{"TOKEN": "bad", "NOTE": "new"})
	if e := s.event(EventRolledBack); e.Digest != stale.Digest {
		t.Errorf("went back to %q, want %q", e.Digest, stale.Digest)
	}
	if e := s.event(EventStarted); e.Digest != stale.Digest {
		t.Errorf("event %+v", e)
	}
}

func TestQuarantineEnds(t *testing.T) {
	o := shortProbation()
	o.Supervisor.Quarantine = 50 * time.Millisecond
	s := onTrial(t, o, "child-wants")
	s.update(token("bad"))
	for range 2 { // it is tried, and tried again
		quarantined := s.event(EventQuarantined)
		s.event(EventRolledBack)
		if e := s.event(EventReleased); e.Digest != quarantined.Digest {
			t.Errorf("event %+v, want the digest of %+v", e, quarantined)
		}
	}
}

func TestRollbackThatFailsToo(t *testing.T) {
	for _, policy := range []RestartPolicy{RestartNo, RestartAlways} {
		o := shortProbation()
		o.Supervisor.Restart = policy
		file := filepath.Join(t.TempDir(), "broken")
		s := onTrial(t, o, "child-wants", file)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.update(token("new"))
		s.event(EventRolledBack)
		if e := s.event(EventEnded); e.Status.Code != 3 {
			t.Errorf("event %+v", e)
		}
		if policy == RestartNo {
			s.wantEnd(3)
			continue
		}
		s.event(EventWaiting)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		accepted := s.event(EventAccepted)
		s.signal(syscall.SIGTERM)
		s.wantEnd(143)
		last := ""
		for _, line := range s.out.rest() {
			last = line
		}
		if !strings.HasSuffix(last, " new") || accepted.PID == 0 {
			t.Errorf("the last child said %q, want the newest secrets in it", last)
		}
	}
}

func TestNoRollback(t *testing.T) {
	o := shortProbation()
	o.Supervisor.NoRollback = true
	s := onTrial(t, o, "child-wants")
	s.update(token("bad"))
	s.wantEnd(3)
}

func TestChangeDuringTheTrial(t *testing.T) {
	o := order{Supervisor: defaults()}
	o.Supervisor.Probation = 2 * time.Second
	o.Supervisor.Health = Health{Command: Command{Argv: []string{"sh", "-c", `test "$TOKEN" != unhealthy`}}, Timeout: time.Hour}
	s := onTrial(t, o, "child-wants")
	s.update(token("unhealthy"))
	s.event(EventStarted)
	s.update(token("bad")) // while the trial goes on: it fails, and the last good one is back
	s.event(EventRestarting)
	s.event(EventStarted)
	s.event(EventRolledBack)
	s.event(EventAccepted)
	s.signal(syscall.SIGTERM)
	s.wantEnd(143)
	rest := s.out.rest()
	if last := rest[len(rest)-1]; !strings.HasSuffix(last, " good") {
		t.Errorf("the last child said %q", last)
	}
}

func TestUnhealthyChildIsRolledBack(t *testing.T) {
	o := order{Supervisor: defaults()}
	o.Supervisor.Probation = 0
	o.Supervisor.Health = Health{Command: Command{Argv: []string{"sh", "-c", `test "$TOKEN" = good`}}, Timeout: 600 * time.Millisecond}
	s := onTrial(t, o, "child-wants")
	first, _ := s.ready()
	s.update(token("other"))
	if e := s.event(EventUnhealthy); e.PID == first {
		t.Errorf("event %+v", e)
	}
	s.event(EventRolledBack)
	s.ready()
	if _, got := s.ready(); got != "good" {
		t.Errorf("the third child has %q", got)
	}
	s.event(EventAccepted)
}

func TestRestartPolicy(t *testing.T) {
	t.Run("on failure", func(t *testing.T) {
		o := order{Supervisor: defaults()}
		o.Supervisor.Restart = RestartOnFailure
		dir := t.TempDir()
		s := run(t, o, "sh", "-c", `mkdir "$0"/1 || mkdir "$0"/2 || exit 0; exit 3`, dir)
		for range 2 {
			if e := s.event(EventWaiting); e.Status.Code != 3 {
				t.Errorf("event %+v", e)
			}
		}
		s.wantEnd(0)
	})
	t.Run("always", func(t *testing.T) {
		o := order{Supervisor: defaults()}
		o.Supervisor.Restart = RestartAlways
		s := run(t, o, "child-exit", "0")
		s.event(EventWaiting)
		s.event(EventWaiting)
		s.signal(syscall.SIGKILL)
	})
	t.Run("stopped while waiting", func(t *testing.T) {
		o := order{Supervisor: defaults()}
		o.Supervisor.Restart = RestartAlways
		o.Supervisor.BackoffMin = time.Hour
		s := run(t, o, "child-exit", "0")
		s.event(EventWaiting)
		s.signal(syscall.SIGTERM)
		s.wantEnd(143)
	})
	t.Run("not after a signal that was passed on", func(t *testing.T) {
		o := order{Supervisor: defaults()}
		o.Supervisor.Restart = RestartAlways
		s := run(t, o, "child-wants")
		s.ready()
		s.signal(syscall.SIGHUP)
		s.wantEnd(129)
	})
}

func TestBackoff(t *testing.T) {
	const first, limit = 500 * time.Millisecond, 30 * time.Second
	for failures, want := range []time.Duration{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		if got := backoff(failures, first, limit); got != want*time.Millisecond {
			t.Errorf("backoff(%d) = %v, want %v", failures, got, want*time.Millisecond)
		}
	}
	if got := backoff(1000, 0, 0); got != 0 {
		t.Errorf("backoff without a wait = %v", got)
	}
	if got := backoff(3, first, 0); got != first {
		t.Errorf("backoff without a limit = %v, want %v", got, first)
	}
}

func TestHealthChecks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/no":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/no", http.StatusFound)
		}
	}))
	defer server.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	env, _, err := Build(os.Environ(), []Layer{{Vars: vars("TOKEN=good")}}, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	reaper := NewReaper()
	defer reaper.Close()
	sh := func(script string) Health { return Health{Command: Command{Argv: []string{"sh", "-c", script}}} }
	for _, tt := range []struct {
		name   string
		health Health
		want   bool
	}{
		{"HTTP 200", Health{HTTP: server.URL + "/yes"}, true},
		{"HTTP 302, which is not followed", Health{HTTP: server.URL + "/moved"}, true},
		{"HTTP 503", Health{HTTP: server.URL + "/no"}, false},
		{"HTTP, nobody there", Health{HTTP: "http://" + closed.Addr().String()}, false},
		{"HTTP, no URL", Health{HTTP: "://"}, false},
		{"TCP", Health{TCP: server.Listener.Addr().String()}, true},
		{"TCP, nobody there", Health{TCP: closed.Addr().String()}, false},
		{"a command with the child's environment", sh(`test "$TOKEN" = good`), true},
		{"a command that fails", sh("exit 1"), false},
		{"a command that is not there", Health{Command: Command{Argv: []string{"no-such-command"}}}, false},
	} {
		if got := tt.health.check(t.Context(), reaper, env); got != tt.want {
			t.Errorf("%s: healthy is %v, want %v", tt.name, got, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if sh("sleep 1000").check(ctx, reaper, env) {
		t.Error("a check that was ended says yes")
	}
}
