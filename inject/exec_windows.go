package inject

// Exec reports that this system cannot replace a running program.
func Exec(Command, Env) error {
	return errorf(CodeStartFailed, "windows cannot replace a program by another: run without --exec")
}
