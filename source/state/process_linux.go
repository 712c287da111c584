package state

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
)

// processStart returns when the process began, in clock ticks since the machine
// did: field 22 of /proc/PID/stat. Together with the pid it names the process,
// since pids are used again. It is false when there is no such process, or only
// what is left of it until its parent asks.
func processStart(pid int) (uint64, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// The command's name, field 2, is in parentheses and may hold blanks and
	// parentheses itself.
	rest := string(stat[bytes.LastIndexByte(stat, ')')+1:])
	after := strings.Fields(rest) // field 3, the process's state, is after[0]
	if len(after) < 20 || after[0] == "Z" || after[0] == "X" {
		return 0, false
	}
	ticks, err := strconv.ParseUint(after[19], 10, 64)
	return ticks, err == nil
}

// pidSpace names what pids count in: this boot of the machine and, in it, the
// container. A pid of another one says nothing here.
var pidSpace = sync.OnceValue(func() string {
	space, _ := os.Readlink("/proc/self/ns/pid")
	return Boot() + " " + space
})
