//go:build unix && !linux

package inject

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttr are the attributes a process is started with. There is no
// parent-death signal here: a child outlives this program when it is killed.
func processAttr(l launch) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: l.ownGroup}
}

// selfPath is this program's file.
func selfPath() (string, error) { return os.Executable() }

// becomeSubreaper does nothing: orphans go to PID 1 on this system.
func becomeSubreaper() {}

// The requests for a terminal's modes.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// maxSignal is the highest signal number.
const maxSignal = 31
