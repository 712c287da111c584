//go:build linux

// Package disktest kills processes while they write.
package disktest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// sample are the calls of a write at which a kill tells most: before and after the
// lock, the data, its way to the disk, and the name.
var sample = []string{"flock", "write", "fsync", "renameat"}

// KillAtCalls runs a process that writes once, again and again: for each system call
// of the write it is killed at the first time it makes that call, then at the second,
// and so on until it makes it no more often and ends by itself. Check is called after
// each run and told whether the process was killed.
//
// The calls are a sample and those in more; with INFISYNC_SOAK set, all that the
// process makes from taking its lock to its end. The test is skipped where there is no
// strace, and fails there with CI set. Command returns the process anew each time.
func KillAtCalls(t *testing.T, command func() *exec.Cmd, check func(t *testing.T, killed bool), more ...string) {
	t.Helper()
	needStrace(t)
	sample := slices.Concat(sample, more)
	calls := sample
	if os.Getenv("INFISYNC_SOAK") != "" {
		calls = trace(t, command())
		check(t, false)
	}
	for _, call := range calls {
		t.Run(call, func(t *testing.T) {
			kills := 0
			for kill(t, command(), call, kills+1) {
				kills++
				check(t, true)
			}
			check(t, false)
			if kills == 0 && slices.Contains(sample, call) {
				t.Error("the process does not make this call")
			}
			t.Logf("killed at each of %d calls", kills)
		})
	}
}

func needStrace(t *testing.T) {
	t.Helper()
	err := exec.Command("strace", "-o", os.DevNull, "true").Run() // ptrace may be forbidden
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("needs strace: %v", err)
	} else if err != nil {
		t.Skipf("needs strace: %v", err)
	}
}

// strace runs the process under strace with these arguments, on one thread as far as
// Go allows: strace counts the calls of each.
func strace(cmd *exec.Cmd, args ...string) error {
	path, err := exec.LookPath("strace")
	if err != nil {
		return err
	}
	cmd.Args = slices.Concat([]string{path, "-f", "-qq"}, args, []string{cmd.Path}, cmd.Args[1:])
	cmd.Path = path
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0") // no second of rest at each end
	return cmd.Run()
}

// kill runs the process and has it killed at its nth such call. It returns false when
// the process ended before that.
func kill(t *testing.T, cmd *exec.Cmd, call string, nth int) bool {
	t.Helper()
	err := strace(cmd, "-o", os.DevNull, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, nth))
	if err == nil {
		return false
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("call %d: %v", nth, err)
	}
	return true
}

// trace returns the system calls that the process makes once it has its lock, sorted.
func trace(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	output := filepath.Join(t.TempDir(), "trace")
	if err := strace(cmd, "-o", output); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for line := range strings.Lines(string(text)) {
		// "PID call(arguments) = result"; what else there is has no such word.
		_, rest, _ := strings.Cut(line, " ")
		call, _, ok := strings.Cut(strings.TrimSpace(rest), "(")
		if len(calls) == 0 && call != "flock" {
			continue
		}
		// The runtime's watchdog sleeps as often as the process is slow.
		if ok && !strings.ContainsAny(call, " <+") && call != "nanosleep" && call != "exit_group" {
			calls = append(calls, call)
		}
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}
