//go:build !linux

package inject

// forgetProgram does nothing here.
func forgetProgram(code bool) {}
