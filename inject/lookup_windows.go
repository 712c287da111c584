package inject

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
)

// resolve returns the file to execute. It looks in this process's PATH, as
// Windows programs do.
func (c Command) resolve(Env) (string, error) {
	file, err := exec.LookPath(c.Argv[0])
	switch {
	case err == nil || errors.Is(err, exec.ErrDot):
		return file, nil
	case errors.Is(err, fs.ErrPermission):
		return "", &Error{Code: CodeNotExecutable, Exit: exitNotExecutable, Text: fmt.Sprintf("%q: not executable", c.Argv[0]), Err: err}
	}
	return "", &Error{Code: CodeNotFound, Exit: exitNotFound, Text: fmt.Sprintf("%q: command not found", c.Argv[0]), Err: err}
}
