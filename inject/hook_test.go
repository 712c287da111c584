//go:build unix

package inject

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// hookTo makes a hook of a shell script that finds in $OUT the path returned.
func hookTo(t *testing.T, script string, log slog.Handler) (hook *Hook, path string) {
	t.Helper()
	reaper := NewReaper()
	t.Cleanup(reaper.Close)
	path = filepath.Join(t.TempDir(), "got")
	env, _, err := Build(os.Environ(), []Layer{{Vars: []Var{NewVar("OUT", path)}}}, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return NewHook(reaper, Command{Argv: []string{"sh", "-c", script}}, env, slog.New(log)), path
}

func TestHookRunsInOrder(t *testing.T) {
	var log strings.Builder
	hook, path := hookTo(t, `cat >>"$OUT"; grep -q bad "$OUT" && exit 3; true`, slog.NewTextHandler(&log, nil))
	for _, message := range []string{"one\n", "two\n", "bad\n"} {
		hook.Send([]byte(message))
	}
	hook.Close()
	got, _ := os.ReadFile(path)
	if string(got) != "one\ntwo\nbad\n" {
		t.Errorf("the command read %q", got)
	}
	if n := strings.Count(log.String(), "exit status 3"); n != 1 {
		t.Errorf("a failing command was logged %d times: %s", n, &log)
	}
}

// Those who send do not know when it closes.
func TestHookDropsWhatComesLate(t *testing.T) {
	hook, path := hookTo(t, `cat >>"$OUT"`, slog.DiscardHandler)
	hook.Send([]byte("in time\n"))
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 100 {
				hook.Send(nil)
			}
		})
	}
	hook.Close()
	hook.Send([]byte("late\n"))
	senders.Wait()
	if got, err := os.ReadFile(path); string(got) != "in time\n" {
		t.Errorf("the command read %q, %v", got, err)
	}
}

func TestHookWithoutCommand(t *testing.T) {
	reaper := NewReaper()
	defer reaper.Close()
	var log strings.Builder
	hook := NewHook(reaper, Command{Argv: []string{"no-such-command"}}, Env{}, slog.New(slog.NewTextHandler(&log, nil)))
	hook.Send([]byte("x"))
	hook.Close()
	if !strings.Contains(log.String(), "no-such-command") {
		t.Errorf("nothing was said: %q", &log)
	}
}
