//go:build unix && !linux

package inject

import "syscall"

// processAttr are the attributes a process is started with. There is no
// parent-death signal here: a child outlives this program when it is killed.
func processAttr(l launch) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: l.ownGroup}
}

// becomeSubreaper does nothing: orphans go to PID 1 on this system.
func becomeSubreaper() {}

// maxSignal is the highest signal number.
const maxSignal = 31
