//go:build unix

package inject

import "syscall"

// A group is the processes that belong to a child.
type group struct {
	pid int  // the child's
	own bool // it leads a process group; otherwise only the child itself is meant
}

// signal sends sig to all of the group. It is no error when none is left.
func (g group) signal(sig syscall.Signal) error {
	to := g.pid
	if g.own {
		to = -g.pid
	}
	if err := syscall.Kill(to, sig); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// gone tells whether the group is empty, seen after the child itself was reaped.
// Its number is not given to another process while a member is left.
func (g group) gone() bool {
	return !g.own || syscall.Kill(-g.pid, 0) == syscall.ESRCH
}

// continueSignal makes a stopped process go on.
const continueSignal = syscall.SIGCONT
