//go:build unix

package inject

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// A terminal is the controlling terminal, as far as it concerns the child. There
// are two ways to live with one:
//
// Led: this process leads its process group, as a shell's job does, and all three
// standard streams are the terminal. The child's group is made the foreground
// group, as a shell would do: it can read, and gets Ctrl-C once. When it is
// stopped, this process stops too, so that the shell sees it; when it is
// continued, so is the child.
//
// Shared: this process is one of several in the foreground group, as in a script
// or a pipeline, and what the others do with the terminal is not its business.
// The child stays in the group. It gets the terminal's signals from the terminal
// itself, so they are not passed on.
//
// A nil terminal stands for none: the child gets a group of its own, in the
// background.
type terminal struct {
	fd      int
	led     bool
	restore bool          // all three streams are the terminal: its modes are put back
	group   int           // this process's
	modes   *unix.Termios // as they were found
	child   *unix.Termios // as the child had them when it was stopped; nil: it was not
	ignored chan os.Signal
}

// openTerminal looks for the terminal. close ends its use.
func openTerminal() *terminal {
	// Not to become this process's controlling terminal, if it has none.
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	t := &terminal{fd: fd, group: unix.Getpgrp(), ignored: make(chan os.Signal, 1)}
	t.restore = true
	for stream := range 3 {
		// A terminal's group can be asked for only by those it controls.
		group, err := unix.IoctlGetInt(stream, unix.TIOCGPGRP)
		t.restore = t.restore && err == nil && group == t.foreground()
	}
	t.led = t.restore && t.group == os.Getpid()
	if !t.led && t.foreground() != t.group {
		unix.Close(fd)
		return nil
	}
	t.modes, _ = unix.IoctlGetTermios(fd, getTermios)
	return t
}

// foreground is the group that the terminal's signals go to; -1 when the
// terminal is gone.
func (t *terminal) foreground() int {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return group
}

func (t *terminal) setForeground(group int) {
	_ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group)
}

// ownGroup tells whether the child leads a group of its own.
func (t *terminal) ownGroup() bool { return t == nil || t.led }

// starting is called before the child is started, and started after it. In
// between TTOU has its default action, since the child would inherit an ignored
// one. At all other times it is ignored: it would stop this process when it
// speaks to the terminal, or hands it over, from the background.
func (t *terminal) starting() {
	if t != nil {
		signal.Notify(t.ignored, syscall.SIGTTOU)
	}
}

// started makes the child's group the foreground group. It may have asked for
// the terminal before; then it was stopped, and onStopped makes it go on.
func (t *terminal) started(child int) {
	if t == nil {
		return
	}
	signal.Ignore(syscall.SIGTTOU)
	if t.led && t.foreground() == t.group {
		t.setForeground(child)
	}
}

// sends tells whether the terminal sends the signal to the child itself.
func (t *terminal) sends(sig syscall.Signal) bool {
	if t == nil || t.led {
		return false
	}
	switch sig {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH:
		return t.foreground() == t.group // no other group gets them from it
	case syscall.SIGHUP:
		return t.foreground() < 0 // it was hung up
	case syscall.SIGCONT:
		return true // a shell continues the whole group
	}
	return false
}

// onStopped deals with a child that was stopped by sig, at a led terminal. It
// returns true when the child is to go on at once.
func (t *terminal) onStopped(child int, sig syscall.Signal) (goOn bool) {
	if t == nil || !t.led {
		return false
	}
	asked := sig == syscall.SIGTTIN || sig == syscall.SIGTTOU
	if asked && t.foreground() == t.group {
		t.setForeground(child)
		return true
	}
	if sid, err := unix.Getsid(0); err == nil && sid == os.Getpid() {
		// No shell could continue this process. Alone in its session the child would
		// not have been stopped by the terminal either.
		return sig != syscall.SIGSTOP
	}
	if t.foreground() == child {
		t.child, _ = unix.IoctlGetTermios(t.fd, getTermios)
		t.setModes(t.modes)
		t.setForeground(t.group)
	}
	_ = syscall.Kill(0, syscall.SIGSTOP) // the whole job; it goes on from here when it is continued
	return false
}

// onContinued gives the terminal back to a child that is to be continued.
func (t *terminal) onContinued(child int) {
	if t == nil || !t.led || t.foreground() != t.group {
		return
	}
	if t.child != nil {
		t.setModes(t.child)
		t.child = nil
	}
	t.setForeground(child)
}

// ended takes the terminal back from a child that has ended, with the modes it
// had before. A terminal that meanwhile serves others is left alone.
func (t *terminal) ended(child int) {
	if t == nil {
		return
	}
	if front := t.foreground(); t.led && front > 0 && front != t.group {
		if front != child && syscall.Kill(-front, 0) != syscall.ESRCH {
			return
		}
		t.setForeground(t.group)
	}
	if t.restore && t.foreground() == t.group {
		t.setModes(t.modes)
	}
	t.child = nil
}

func (t *terminal) setModes(modes *unix.Termios) {
	if modes != nil {
		_ = unix.IoctlSetTermios(t.fd, setTermios, modes)
	}
}

// close ends the use of the terminal.
func (t *terminal) close() {
	if t != nil {
		signal.Reset(syscall.SIGTTOU)
		unix.Close(t.fd)
	}
}
