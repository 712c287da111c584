package inject

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canDieOf tells whether Exit can make this process die of the signal.
func canDieOf(sig syscall.Signal) bool { return sig == syscall.SIGINT || sig == syscall.SIGQUIT }

// dieOf gives the signal the kernel's default action, for which the Go runtime
// has no call (its own default for QUIT prints all goroutines), and takes it.
func dieOf(sig syscall.Signal) {
	runtime.LockOSThread()
	// The kernel's struct sigaction begins with the handler, and all zero means the
	// default one; it is no larger than this on any architecture.
	var action [64]byte
	const maskSize = 8 // bytes
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
	var set unix.Sigset_t
	set.Val[0] = 1 << (uint(sig) - 1)
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
	// To this very thread, so that it comes before the next instruction.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
}
