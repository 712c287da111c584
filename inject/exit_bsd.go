//go:build unix && !linux

package inject

import "syscall"

// resetDisposition does nothing: the Go runtime's default for INT is the
// kernel's.
func resetDisposition(syscall.Signal) {}
