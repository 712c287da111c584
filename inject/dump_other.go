//go:build !linux

package inject

// ForbidDumps has nothing to do here: this system has no such switch.
func ForbidDumps() error { return nil }
