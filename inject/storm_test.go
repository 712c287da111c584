//go:build linux

package inject

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSignalStorm sends random signals while the secrets change, and then a stop.
// The stop must not be lost, whatever was going on, and nothing may be left.
// INFISYNC_SOAK is how many rounds there are.
func TestSignalStorm(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("INFISYNC_SOAK"))
	for round := range max(1, rounds) {
		seed := uint64(round)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { storm(t, rand.New(rand.NewPCG(seed, 0)), 1000) })
	}
}

func storm(t *testing.T, random *rand.Rand, signals int) {
	var storms []syscall.Signal // all but those that ask for a stop, or stop the program itself
	for _, sig := range catchable() {
		sig := sig.(syscall.Signal)
		if sig != syscall.SIGINT && sig != syscall.SIGTERM && sig != syscall.SIGQUIT && !suspends(sig) {
			storms = append(storms, sig)
		}
	}
	o := order{Supervisor: defaults(), First: token("0")}
	o.Debounce = 0
	o.Restart = RestartAlways // a child that has not caught the signals yet dies of them
	s := run(t, o, "child-trap", "0")
	first, _ := s.ready()
	for i := range signals {
		s.signal(storms[random.IntN(len(storms))])
		if i%50 == 0 {
			s.update(token(strconv.Itoa(i + 1)))
		}
	}
	s.signal(syscall.SIGTERM)
	if code := s.wait(); code != 0 && code < 128 {
		t.Errorf("exit status %d", code)
	}
	wantGone(t, first)
	for _, p := range processes() {
		if sid, err := unix.Getsid(p.pid); err == nil && sid == s.cmd.Process.Pid {
			t.Errorf("process %d is left", p.pid)
		}
	}
}
