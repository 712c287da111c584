package inject

import (
	"fmt"
	"syscall"
)

// A Status is how a child ended. The zero Status is an exit with status 0.
type Status struct {
	Code   int            // 0–255; 128+n when signal n killed it
	Signal syscall.Signal // what killed it; 0: it exited by itself
	Core   bool           // it left a core dump

	// Raise tells that the child died of the terminal's INT or QUIT and that
	// Exit dies of the same, so that a calling script stops too.
	Raise bool
}

func exitStatus(code int) Status { return Status{Code: code} }

func signalStatus(sig syscall.Signal) Status {
	return Status{Code: 128 + int(sig), Signal: sig}
}

// String returns "exit status 3" or "signal: terminated".
func (s Status) String() string {
	if s.Signal == 0 {
		return fmt.Sprintf("exit status %d", s.Code)
	}
	text := "signal: " + s.Signal.String()
	if s.Core {
		text += " (core dumped)"
	}
	return text
}
