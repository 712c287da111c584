//go:build linux

package inject

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// envOf makes an environment of PATH and of secrets, so that command and
// environment are of exactly that total, as the kernel counts it.
func envOf(t *testing.T, c Command, total int) Env {
	t.Helper()
	env, _, err := Build([]string{"PATH=/bin"}, nil, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := c.resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	left := total - len(file) - 1
	for _, arg := range c.Argv {
		left -= len(arg) + 1 + pointerSize
	}
	left -= env.entries[0].size() + pointerSize
	layer := Layer{}
	for i := 0; left > 0; i++ {
		name := fmt.Sprintf("S%03d", i)
		overhead := len(name) + 2 + pointerSize
		size := min(left, 100<<10)
		if rest := left - size; rest > 0 && rest < overhead {
			size -= overhead
		}
		layer.Vars = append(layer.Vars, NewVar(name, strings.Repeat("x", size-overhead)))
		left -= size
	}
	env, _, err = Build([]string{"PATH=/bin"}, []Layer{layer}, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// The limits are those of the kernel: what is at the limit can be executed, and
// one byte more cannot.
func TestCheckKnowsTheKernelsLimits(t *testing.T) {
	reaper := NewReaper()
	defer reaper.Close()
	c := Command{Argv: []string{"true", "an argument", ""}}
	limit := maxTotalSize()

	env := envOf(t, c, limit)
	if err := c.Check(env); err != nil {
		t.Errorf("at the limit of %d: %v", limit, err)
	}
	if status, err := reaper.run(t.Context(), c, env, nil, 2); err != nil || status.Code != 0 {
		t.Errorf("at the limit of %d: %v, %v", limit, status, err)
	}

	env = envOf(t, c, limit+1)
	wantError(t, c.Check(env), CodeEnvTooLarge, 125, `the largest secret is "S000" with 102392 bytes`)
	_, err := reaper.run(t.Context(), c, env, nil, 2)
	wantError(t, err, CodeArgumentsTooLong, 126, `"true": argument list too long`)

	// One variable has a limit of its own.
	for size, fits := range map[int]bool{maxEntrySize(): true, maxEntrySize() + 1: false} {
		value := strings.Repeat("x", size-len("NAME=")-1)
		_, _, err := Build(nil, []Layer{{Vars: []Var{NewVar("NAME", value)}}}, Policy{})
		if (err == nil) != fits {
			t.Errorf("Build with one variable of %d bytes: %v", size, err)
		}
		inherited, _, err := Build([]string{"PATH=/bin", "NAME=" + value}, nil, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(inherited); err != nil {
			t.Errorf("what is inherited is left to execve: %v", err)
		}
		_, err = reaper.run(t.Context(), c, inherited, nil, 2)
		if errors.Is(err, syscall.E2BIG) == fits {
			t.Errorf("running with one variable of %d bytes: %v", size, err)
		}
	}
}

func TestCheckNeedsACommand(t *testing.T) {
	wantError(t, Command{}.Check(Env{}), CodeNoCommand, 125, "no command")
}

func TestCommandPrintsItsNameOnly(t *testing.T) {
	c := Command{Argv: []string{"prog", "--password=canary"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, c); !strings.Contains(text, "prog") || strings.Contains(text, "canary") {
			t.Errorf("%s prints %q", verb, text)
		}
	}
}

func TestEveryStatus(t *testing.T) {
	reaper := NewReaper()
	defer reaper.Close()
	env, _, err := Build(os.Environ(), nil, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for code := range 256 {
		status, err := reaper.run(t.Context(), Command{Argv: []string{"sh", "-c", fmt.Sprint("exit ", code)}}, env, nil, 2)
		if err != nil || status != exitStatus(code) {
			t.Errorf("exit %d gave %v, %v", code, status, err)
		}
	}
	for sig := syscall.Signal(1); sig <= maxSignal; sig++ {
		switch sig {
		case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGURG, syscall.SIGWINCH:
			continue // they kill nobody
		case 32, 33:
			continue // the C library's own
		}
		script := fmt.Sprintf("ulimit -c 0; kill -%d $$", sig)
		status, err := reaper.run(t.Context(), Command{Argv: []string{"sh", "-c", script}}, env, nil, 2)
		if err != nil || status.Signal != sig || status.Code != 128+int(sig) {
			t.Errorf("signal %d gave %v, %v", sig, status, err)
		}
	}
}

// Statuses are not lost when many processes end at once, whoever waits for them.
func TestReaperLosesNoStatus(t *testing.T) {
	reaper := NewReaper()
	defer reaper.Close()
	env, _, err := Build(os.Environ(), nil, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error)
	const workers, each = 8, 25
	for worker := range workers {
		go func() {
			for i := range each {
				code := (worker*each + i) % 256
				status, err := reaper.run(t.Context(), Command{Argv: []string{"sh", "-c", fmt.Sprintf("true & exit %d", code)}}, env, nil, 2)
				if err == nil && status.Code != code {
					err = fmt.Errorf("exit %d gave %v", code, status)
				}
				results <- err
			}
		}()
	}
	for range workers * each {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
