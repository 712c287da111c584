//go:build unix

package inject

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultPath is where execvp looks when there is no PATH.
const defaultPath = "/bin:/usr/bin"

// resolve returns the file to execute. It returns an *Error with code not-found
// or not-executable, as execvp's errno tells them apart.
func (c Command) resolve(env Env) (string, error) {
	if c.Argv[0] == "" {
		return "", c.execError(syscall.ENOENT, false)
	}
	if c.hasSlash() {
		if errno := executable(c.Argv[0]); errno != 0 {
			return "", c.execError(errno, false)
		}
		return c.Argv[0], nil
	}
	search, ok := env.Lookup("PATH")
	if !ok {
		search = defaultPath
	}
	var denied bool
	for dir := range strings.SplitSeq(search, ":") {
		if dir == "" {
			dir = "."
		}
		// Not filepath.Join: it would turn "./x" into a name without a slash.
		file := strings.TrimSuffix(dir, "/") + "/" + c.Argv[0]
		switch executable(file) {
		case 0:
			return file, nil
		case syscall.EACCES, syscall.EISDIR:
			denied = true // execvp goes on, and reports it when nothing better comes
		}
	}
	if denied {
		return "", c.execError(syscall.EACCES, false)
	}
	return "", c.execError(syscall.ENOENT, false)
}

// executable tells what execve would object to in the file, as far as one can
// know before.
func executable(file string) syscall.Errno {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return errnoOf(err)
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return syscall.EISDIR
	}
	if err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS); err != nil {
		return errnoOf(err)
	}
	return 0
}

func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

// execError says what an errno of execve means for the command. Resolved tells
// that the file was there.
func (c Command) execError(errno syscall.Errno, resolved bool) *Error {
	e := &Error{Code: CodeNotExecutable, Exit: exitNotExecutable, Err: errno}
	reason := errno.Error()
	switch errno {
	case syscall.ENOENT:
		e.Code, e.Exit = CodeNotFound, exitNotFound
		switch {
		case resolved:
			reason = "its interpreter or loader was not found"
		case c.hasSlash():
			reason = "no such file"
		default:
			reason = "command not found"
		}
	case syscall.E2BIG:
		e.Code = CodeArgumentsTooLong
		reason = "argument list too long"
	case syscall.EISDIR:
		reason = "is a directory"
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE:
		e.Code, e.Exit = CodeStartFailed, exitOwnFailure
	}
	e.Text = fmt.Sprintf("%q: %s", c.Argv[0], reason)
	return e
}
