//go:build unix

package inject

import (
	"os"
	"os/signal"
	"syscall"
)

// Exit ends this process as the child ended: with its Code, or of the same
// signal when Raise is set. It does not return.
func (s Status) Exit() {
	if s.Raise && os.Getpid() != 1 {
		// A core dump of this process would hold every secret.
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
		signal.Reset(s.Signal)
		dieOf(s.Signal)
	}
	os.Exit(s.Code)
}
