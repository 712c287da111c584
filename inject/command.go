package inject

import (
	"fmt"
	"strings"
)

// A Command is what to run. Argv is passed on byte for byte and never given to a
// shell. Argv[0] is looked up in the child's own PATH, as execvp does: a name
// with a slash is taken as it is, an empty element of PATH is the working
// directory, and without PATH it is looked for in /bin and /usr/bin.
type Command struct {
	Argv []string
}

// Check tells what stands in the way of starting the command with env, as far as
// one can know without starting it: nothing to run, not found, not executable,
// or an environment that the kernel would refuse because of what the layers
// brought. What would be too large without them is left to execve.
func (c Command) Check(env Env) error {
	if len(c.Argv) == 0 {
		return errorf(CodeNoCommand, "no command to run was given")
	}
	file, err := c.resolve(env)
	if err != nil {
		return err
	}
	limit := maxTotalSize()
	if limit == 0 {
		return nil
	}
	total := len(file) + 1 // the kernel copies the file's name as well
	for _, arg := range c.Argv {
		total += len(arg) + 1 + pointerSize
	}
	var secrets int
	var largest entry
	for _, e := range env.entries {
		total += e.size() + pointerSize
		if !e.layered {
			continue
		}
		secrets += e.size() + pointerSize
		if e.size() > largest.size() {
			largest = e
		}
	}
	if total <= limit || total-secrets > limit {
		return nil
	}
	return errorf(CodeEnvTooLarge,
		"arguments and environment are %d bytes with the secrets, above the system's limit of %d; the largest secret is %q with %d bytes",
		total, limit, largest.name, largest.size())
}

// String returns the command's name without its arguments, which may hold what
// is not to be seen.
func (c Command) String() string {
	if len(c.Argv) == 0 {
		return ""
	}
	return c.Argv[0]
}

// GoString returns what String does.
func (c Command) GoString() string { return fmt.Sprintf("%q", c.String()) }

// hasSlash tells whether the name is a path and not looked up.
func (c Command) hasSlash() bool { return strings.Contains(c.Argv[0], "/") }
