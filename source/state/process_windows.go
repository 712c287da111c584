package state

import "golang.org/x/sys/windows"

// stillActive is the exit code of a process that has none yet: STILL_ACTIVE.
const stillActive = 259

// processStart returns when the process began, in 100 ns since 1601. Together
// with the pid it names the process, since pids are used again. It is false when
// there is no such process.
func processStart(pid int) (uint64, bool) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return 0, false
	}
	defer windows.CloseHandle(process)
	var code uint32
	if err := windows.GetExitCodeProcess(process, &code); err != nil || code != stillActive {
		return 0, false
	}
	var began, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(process, &began, &ended, &kernel, &user); err != nil {
		return 0, false
	}
	return uint64(began.HighDateTime)<<32 | uint64(began.LowDateTime), true
}

// pidSpace is empty: pids count in the whole machine.
func pidSpace() string { return "" }
