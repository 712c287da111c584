//go:build unix

// Command execve executes its arguments and does nothing else: the least that a
// wrapper written in Go can cost.
package main

import (
	"os"
	"syscall"
)

func main() {
	err := syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	os.Stderr.WriteString("execve: " + err.Error() + "\n")
	os.Exit(127)
}
