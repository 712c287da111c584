package inject

import "golang.org/x/sys/unix"

// ForbidDumps makes this process's memory and environment unreadable to other processes
// of its user, and lets it leave no core file. A child is as open as ever: execve
// undoes it. Errors are the kernel's.
func ForbidDumps() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
