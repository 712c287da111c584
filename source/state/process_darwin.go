package state

import "golang.org/x/sys/unix"

// processStart returns when the process began, in microseconds since 1970.
// Together with the pid it names the process, since pids are used again. It is
// false when there is no such process.
func processStart(pid int) (uint64, bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return 0, false
	}
	began := info.Proc.P_starttime
	return uint64(began.Sec)*1e6 + uint64(began.Usec), true
}

// pidSpace is empty: pids count in the whole machine.
func pidSpace() string { return "" }
