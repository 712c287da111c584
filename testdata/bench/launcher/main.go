//go:build linux

// Command launcher runs its arguments once, with nothing on standard input and
// output, and prints what that cost: microseconds of CPU time, nanoseconds of wall
// time, KiB of memory at the peak, the page faults that needed no disk, and the wait
// status.
//
// The kernel hands a parent's memory down into the peak of what it starts, so the
// peak of whatever is small would be the benchmark's own. This program is the
// parent instead, and it is smaller than anything it measures in Go.
package main

import (
	"os"
	"strconv"
	"syscall"
	"time"
)

func main() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	check(err)
	began := time.Now()
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), 2},
	})
	check(err)
	var status syscall.WaitStatus
	var used syscall.Rusage
	for {
		_, err = syscall.Wait4(pid, &status, 0, &used)
		if err != syscall.EINTR {
			break
		}
	}
	wall := time.Since(began)
	check(err)
	cpu := (used.Utime.Nano() + used.Stime.Nano()) / 1000
	line := ""
	for _, n := range []int64{cpu, wall.Nanoseconds(), used.Maxrss, used.Minflt, int64(status)} {
		line += strconv.FormatInt(n, 10) + " "
	}
	os.Stdout.WriteString(line + "\n")
}

func check(err error) {
	if err != nil {
		os.Stderr.WriteString("launcher: " + err.Error() + "\n")
		os.Exit(1)
	}
}
