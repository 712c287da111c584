//go:build unix

package inject

import "syscall"

// A group is the processes that belong to a child. With neither own nor shared
// it is the child alone.
type group struct {
	pid    int  // the child's
	own    bool // it leads a process group
	shared bool // it is in this process's group, with those that descend from here
}

// signal sends sig to all of the group. It is no error when none is left.
func (g group) signal(sig syscall.Signal) error {
	to := []int{g.pid}
	switch {
	case g.own:
		to = []int{-g.pid}
	case g.shared:
		to = descendantsInGroup(g.pid)
	}
	for _, pid := range to {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			return err
		}
	}
	return nil
}

// gone tells whether the group is empty, seen after the child itself was reaped.
// Its number is not given to another process while a member is left.
func (g group) gone() bool {
	switch {
	case g.own:
		return syscall.Kill(-g.pid, 0) == syscall.ESRCH
	case g.shared:
		return len(descendantsInGroup(0)) == 0
	}
	return true
}

// continueSignal makes a stopped process go on.
const continueSignal = syscall.SIGCONT
