//go:build unix && !linux

package inject

import "syscall"

// canDieOf tells whether Exit can make this process die of the signal: not of
// QUIT, of which the Go runtime makes a list of all goroutines.
func canDieOf(sig syscall.Signal) bool { return sig == syscall.SIGINT }

// dieOf sends this process the signal, for which the Go runtime's default is the
// kernel's.
func dieOf(sig syscall.Signal) { _ = syscall.Kill(syscall.Getpid(), sig) }
