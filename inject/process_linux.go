package inject

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttr are the attributes a process is started with: it gets TERM when
// this program is killed, so that it never runs on alone. The kernel forgets
// that when the process changes its user or executes a set-user-ID program.
func processAttr(l launch) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: l.ownGroup, Pdeathsig: syscall.SIGTERM}
}

// selfPath is this program's file, also when another has taken its name since.
func selfPath() (string, error) { return "/proc/self/exe", nil }

// becomeSubreaper makes orphaned descendants children of this process, so that
// it can wait for them. Without the right to it they go to PID 1, as usual.
func becomeSubreaper() {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// The requests for a terminal's modes.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)

// maxSignal is the highest signal number.
const maxSignal = 64 // real-time signals included
