//go:build unix

package inject

import (
	"maps"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func TestParseRewrite(t *testing.T) {
	got, err := ParseRewrite([]string{"TERM=QUIT", "USR1=", "15=2"})
	want := map[syscall.Signal]syscall.Signal{syscall.SIGTERM: syscall.SIGINT, syscall.SIGUSR1: 0}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"TERM", "NOPE=TERM", "TERM=NOPE", "=TERM"} {
		if got, err := ParseRewrite([]string{bad}); err == nil {
			t.Errorf("ParseRewrite(%q) = %v, want an error", bad, got)
		}
	}
}

func TestWatchdogEvery(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"2000000", "", time.Second}, {"2000000", own, time.Second}, {"2000000", "1" + own, 0}, {"", "", 0}, {"x", "", 0}, {"-5", "", 0},
	} {
		if got := WatchdogEvery(test.usec, test.pid); got != test.want {
			t.Errorf("WatchdogEvery(%q, %q) = %s, want %s", test.usec, test.pid, got, test.want)
		}
	}
}
