package inject

// Exec reports that this system cannot replace a running program.
func Exec(Command, Env) error {
	return errorf(CodeStartFailed, "Windows cannot replace a running program: omit --exec")
}
