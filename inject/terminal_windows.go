package inject

import "syscall"

// A terminal is the console, or none: this program behaves the same with both.
// What asks this program to end, Ctrl-C or the closing of the window, reaches
// every program at a console by itself, the child too.
type terminal struct{}

func openTerminal() *terminal { return &terminal{} }

func (t *terminal) sends(sig syscall.Signal) bool {
	return sig == syscall.SIGINT || sig == syscall.SIGTERM
}

func (t *terminal) ownGroup() bool                     { return true }
func (t *terminal) starting()                          {}
func (t *terminal) started(int)                        {}
func (t *terminal) onStopped(int, syscall.Signal) bool { return false }
func (t *terminal) onContinued(int)                    {}
func (t *terminal) ended(int)                          {}
func (t *terminal) close()                             {}
