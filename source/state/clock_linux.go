package state

import (
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// SinceBoot is a point in time that processes of one machine can compare whatever
// happens to its clock: nanoseconds since the boot that [Boot] names; 0 where the
// system tells no such time.
func SinceBoot() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// Boot names this boot of the machine; empty where the system does not.
func Boot() string { return boot() }

var boot = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})
