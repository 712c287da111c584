//go:build linux

// Command stamp prints the variable GENERATION and the time, in nanoseconds of
// CLOCK_MONOTONIC, and waits to be ended by a signal.
package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

func main() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		os.Stderr.WriteString("stamp: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(os.Getenv("GENERATION") + " " + strconv.FormatInt(now.Nano(), 10) + "\n")
	for {
		unix.Pause()
	}
}
