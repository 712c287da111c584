package state

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Moment is a point in time that processes of one machine can compare whatever
// happens to its clock: nanoseconds since the boot that boot names. ok is false
// where the system tells no such time.
func Moment() (boot string, ns int64, ok bool) {
	var ts unix.Timespec
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return "", 0, false
	}
	return strings.TrimSpace(string(id)), ts.Nano(), true
}
