package inject

import "fmt"

// The codes of what this package refuses or cannot do. They are stable across
// releases.
const (
	CodeEnvName          = "env-name"           // a name that no environment can hold
	CodeEnvValue         = "env-value"          // a value with a NUL
	CodeEnvTooLarge      = "env-too-large"      // one entry, or all together because of the secrets
	CodeEnvPattern       = "env-pattern"        // a glob that cannot be read
	CodeNameRefused      = "name-refused"       // an interpreter option from the server
	CodeNoCommand        = "no-command"         // nothing to run was given
	CodeNotFound         = "not-found"          // exit status 127
	CodeNotExecutable    = "not-executable"     // exit status 126
	CodeArgumentsTooLong = "arguments-too-long" // exit status 126
	CodeStartFailed      = "start-failed"       // no process could be made
	CodeListen           = "listen-failed"      // a socket for the child cannot be opened
	CodeFile             = "file-failed"        // a file for the child cannot be written
	CodeNoSecret         = "secret-not-found"   // nothing to rename, or to write to a file
	CodeStopped          = "stopped"            // a signal came before there was a child; exit status 128+n
)

// The exit statuses of what went wrong before a child ran, as env(1) and
// timeout(1) use them.
const (
	exitOwnFailure    = 125
	exitNotExecutable = 126
	exitNotFound      = 127
)

// An Error is a failure that a user can be told of. Its text holds no value of a
// variable and no argument but the command's name.
type Error struct {
	Code string
	Text string
	Exit int   // what the program should exit with; 0 stands for 125
	Err  error // the cause, for errors.Is; nil when Text says it all
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code.
func (e *Error) ErrorCode() string { return e.Code }

// ExitCode returns the exit status that goes with the failure.
func (e *Error) ExitCode() int {
	if e.Exit == 0 {
		return exitOwnFailure
	}
	return e.Exit
}
