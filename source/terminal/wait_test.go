package terminal

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWait: a wait that lasts is shown and taken away, a short one never seen.
func TestWait(t *testing.T) {
	for _, tt := range []struct {
		lasts time.Duration
		want  string
	}{
		{3*time.Second - 1, ""},
		{3*time.Second + 1, "infisync: waiting\r\x1b[K"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var shown strings.Builder
			end := Wait(&shown, 3*time.Second, "waiting")
			time.Sleep(tt.lasts)
			synctest.Wait()
			end()
			time.Sleep(time.Minute)
			synctest.Wait()
			if shown.String() != tt.want {
				t.Errorf("for a wait of %s: %q, want %q", tt.lasts, shown.String(), tt.want)
			}
		})
	}
}
