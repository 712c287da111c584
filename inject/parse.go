package inject

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ParseRewrite reads "FROM=TO" for Supervisor.Rewrite, signals as ParseSignal
// takes them; "FROM=" drops one. No texts give nil.
func ParseRewrite(texts []string) (map[syscall.Signal]syscall.Signal, error) {
	var rewrite map[syscall.Signal]syscall.Signal
	for _, text := range texts {
		name, as, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not FROM=TO", text)
		}
		from, err := ParseSignal(name)
		if err != nil {
			return nil, err
		}
		to := syscall.Signal(0)
		if as != "" {
			if to, err = ParseSignal(as); err != nil {
				return nil, err
			}
		}
		if rewrite == nil {
			rewrite = make(map[syscall.Signal]syscall.Signal)
		}
		rewrite[from] = to
	}
	return rewrite, nil
}

// WatchdogEvery is how often a service manager that set WATCHDOG_USEC and
// WATCHDOG_PID to these texts wants to hear of this process: twice in its time
// limit, as sd_watchdog_enabled(3) advises. 0: never.
func WatchdogEvery(usec, pid string) time.Duration {
	limit, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || limit <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(limit) * time.Microsecond / 2
}
