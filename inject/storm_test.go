//go:build linux

package inject

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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
	o := order{Supervisor: defaults(), First: token("first")}
	o.Debounce = 0
	s := run(t, o, "child-trap", "0")
	first, _ := s.ready()
	s.event(EventStarted)

	// While children come and go, only what cannot end one that catches nothing yet.
	for i := range 10 {
		s.update(token(strconv.Itoa(i)))
		for range 20 {
			s.signal([]syscall.Signal{syscall.SIGWINCH, syscall.SIGCONT}[random.IntN(2)])
		}
		s.event(EventStarted)
	}
	for last := ""; last != "9"; {
		_, last = s.ready()
	}

	var storms []syscall.Signal // all but those that ask for a stop
	for _, sig := range catchable() {
		switch sig := sig.(syscall.Signal); sig {
		case syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT:
		default:
			storms = append(storms, sig)
		}
	}
	for range signals {
		s.signal(storms[random.IntN(len(storms))])
	}
	fresh := random.IntN(2) == 0
	if fresh {
		s.update(token("last")) // then the stop meets a restart
	}
	s.signal(syscall.SIGTERM)
	// A child that was just started catches nothing yet: what is left of the storm ends it.
	code := s.wait()
	if byStorm := fresh && slices.Contains(storms, syscall.Signal(code-128)); code != 0 && code != 143 && !byStorm {
		t.Errorf("exit status %d", code)
	}
	wantGone(t, first)
	for _, p := range processes() {
		if sid, err := unix.Getsid(p.pid); err == nil && sid == s.cmd.Process.Pid {
			t.Errorf("process %d is left", p.pid)
		}
	}
}
