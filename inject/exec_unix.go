//go:build unix

package inject

import "syscall"

// Exec replaces this process by the command; it returns only when that failed,
// with an *[Error]. The files of env are not written: nobody stays to remove
// them. Handlers are gone after it, since execve resets them, and so
// is the raised limit of open files, which the syscall package takes back. HUP
// and INT stay ignored if they were.
func Exec(cmd Command, env Env) error {
	if err := cmd.Check(env); err != nil {
		return err
	}
	file, err := cmd.resolve(env)
	if err != nil {
		return err
	}
	return cmd.execError(errnoOf(syscall.Exec(file, cmd.Argv, env.Environ())), true)
}
