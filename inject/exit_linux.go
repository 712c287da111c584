package inject

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resetDisposition gives a signal the kernel's default action, for which the Go
// runtime has no call: its own default for QUIT prints all goroutines. It is the
// last thing this process does; the thread stays locked.
func resetDisposition(sig syscall.Signal) {
	runtime.LockOSThread()
	// The kernel's struct sigaction begins with the handler, and all zero means the
	// default one; it is no larger than this on any architecture.
	var action [64]byte
	const maskSize = 8 // bytes
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
	var set unix.Sigset_t
	set.Val[0] = 1 << (uint(sig) - 1)
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}
