package inject

import "syscall"

// A terminal is nothing to care for on this system: a console's Ctrl-C reaches
// every program that is attached to it.
type terminal struct{}

func openTerminal() *terminal                          { return nil }
func (t *terminal) ownGroup() bool                     { return true }
func (t *terminal) starting()                          {}
func (t *terminal) started(int)                        {}
func (t *terminal) sends(syscall.Signal) bool          { return false }
func (t *terminal) onStopped(int, syscall.Signal) bool { return false }
func (t *terminal) onContinued(int)                    {}
func (t *terminal) ended(int)                          {}
func (t *terminal) close()                             {}
