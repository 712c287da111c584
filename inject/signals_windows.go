package inject

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// catchable lists what CatchSignals subscribes to: what the system makes of
// Ctrl-C, and of closing the console or logging off.
func catchable() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// forwardable tells whether a caught signal is for the child.
func forwardable(syscall.Signal) bool { return true }

// suspends tells the signals that stop a program until it gets CONT: none here.
func suspends(syscall.Signal) bool { return false }

func suspendSelf() {}

// signalName returns the signal's name.
func signalName(sig syscall.Signal) string { return sig.String() }

// ParseSignal reads the name of one of the few signals there are here, with or
// without "SIG" and in either case.
func ParseSignal(s string) (syscall.Signal, error) {
	switch strings.TrimPrefix(strings.ToUpper(s), "SIG") {
	case "INT":
		return syscall.SIGINT, nil
	case "TERM":
		return syscall.SIGTERM, nil
	case "KILL":
		return syscall.SIGKILL, nil
	}
	return 0, fmt.Errorf("%q is not a signal of this system", s)
}
