//go:build unix

package inject

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// catchable lists what CatchSignals subscribes to: all but
//   - KILL and STOP, which cannot be caught,
//   - CHLD, which is the Reaper's,
//   - URG, by which the Go runtime preempts its own goroutines,
//   - PROF and the numbers 32 to 34, which the runtime does not hand out,
//   - HUP and INT when they were ignored from the start, as nohup(1) and a
//     shell's background jobs want it: they stay so for the child too.
func catchable() []os.Signal {
	var out []os.Signal
	for sig := syscall.Signal(1); sig <= maxSignal; sig++ {
		switch sig {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPROF:
			continue
		case syscall.SIGHUP, syscall.SIGINT:
			if signal.Ignored(sig) {
				continue
			}
		case 32, 33, 34:
			continue
		}
		out = append(out, sig)
	}
	return out
}

// forwardable tells whether a caught signal is for the child. PIPE is not: it is
// caught so that a broken stderr does not end this program, and then nearly
// always comes from a write of its own, to stderr or to a connection.
func forwardable(sig syscall.Signal) bool { return sig != syscall.SIGPIPE }

// suspends tells the signals that stop a program until it gets CONT.
func suspends(sig syscall.Signal) bool {
	return sig == syscall.SIGTSTP || sig == syscall.SIGTTIN || sig == syscall.SIGTTOU
}

// suspendSelf stops this process as those signals would.
func suspendSelf() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// signalName returns "SIGTERM", or "signal 40" for one without a name.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

// ParseSignal reads a signal's name, with or without "SIG" and in either case,
// or its number.
func ParseSignal(s string) (syscall.Signal, error) {
	name := strings.ToUpper(s)
	if sig := unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG")); sig != 0 {
		return sig, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= maxSignal {
		return syscall.Signal(n), nil
	}
	return 0, fmt.Errorf("%q is not a signal", s)
}
