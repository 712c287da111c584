//go:build linux

package inject

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A probe is a command that shows something of what it was started with. Its
// output is the same with and without this package in between.
var probes = map[string][]string{
	"argv":    {"cat", "--", "/proc/self/cmdline", "", "-x", "two words", "\xff\xfe", "*", "$HOME"},
	"environ": {"cat", "/proc/self/environ"},
	"files":   {"sh", "-c", "for fd in 0 1 2 5 6 7 8 9; do readlink /proc/$$/fd/$fd || echo $fd closed; done"},
	"limits":  {"cat", "/proc/self/limits"},
	"stat":    {"sh", "-c", "umask; pwd; nice"},
	"signals": {"grep", "-E", "^(SigBlk|SigIgn|SigPnd|ShdPnd|SigCgt|Umask|NoNewPrivs|CapEff|Cpus_allowed):", "/proc/self/status"},
	"parent":  {"sh", "-c", "cat /proc/$$/oom_score_adj; cat /proc/$$/timerslack_ns"},
}

// circumstances put a program into circumstances that a careless parent changes: a low
// limit of open files, a umask, a nice value, an open descriptor 7, an odd
// environment, HUP and INT ignored, USR1 and WINCH blocked.
const circumstances = `umask 027; ulimit -n 200; ulimit -c 0; trap "" HUP INT; cd /usr
exec env --block-signal=USR1,WINCH nice -n 3 "$@" 7</dev/null`

func TestTransparent(t *testing.T) {
	if err := exec.Command("env", "--block-signal=USR1", "true").Run(); err != nil {
		missing(t, "env cannot block signals here: %v", err)
	}
	for name, probe := range probes {
		t.Run(name, func(t *testing.T) {
			want := probeOutput(t, "", probe)
			if len(want) == 0 {
				t.Fatal("the probe shows nothing")
			}
			for _, role := range []string{"supervise", "staged", "becomes"} {
				if name == "environ" && role == "staged" {
					continue // it has more
				}
				if diff := cmp.Diff(want, probeOutput(t, role, probe)); diff != "" {
					t.Errorf("%s (-without +with):\n%s", role, diff)
				}
			}
		})
	}
}

// probeOutput runs the probe under the circumstances, and under that role.
func probeOutput(t *testing.T, role string, probe []string) string {
	t.Helper()
	o := order{Supervisor: defaults()}
	if role == "staged" {
		o.Listen = []string{"tcp:127.0.0.1:0"}
	}
	s := prepare(t, nil, o, probe...)
	line := []string{"sh", "-c", circumstances, "sh"}
	switch role {
	case "":
		line = append(line, probe...)
	case "becomes":
		line = append(append(line, filepath.Join(s.dir, "becomes")), probe...)
	default:
		line = append(line, s.cmd.Args...)
	}
	s.cmd.Path, s.cmd.Args = "/bin/sh", line
	s.cmd.Env = []string{"ZED=last", "PATH=" + os.Getenv("PATH"), "ODD=\xff\n=", "EMPTY=", "AT=1", noRaceSleep}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s.cmd.Stdout = out
	s.begin()
	s.wait()
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if probe[len(probe)-1] == "/proc/self/environ" { // in a fixed order
		entries := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		env, _, err := Build(entries, nil, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%q", env.Environ())
	}
	text = bytes.ReplaceAll(text, []byte(out.Name()), []byte("OUT"))
	return regexp.MustCompile(`/tmp/\S*/stderr`).ReplaceAllString(string(text), "ERR")
}

// The Go runtime sets every other ignored signal back to its default. It unblocks
// those that it needs itself, and HUP, INT and TERM, before any other code runs.
func TestWhatTheRuntimeDoesNotPreserve(t *testing.T) {
	for _, role := range []string{"supervise", "becomes"} {
		s := prepare(t, nil, order{Supervisor: defaults()}, "cat", "/proc/self/status")
		line := []string{"env", "--ignore-signal=USR1,HUP", "--block-signal=HUP,INT,TERM,SEGV,USR2"}
		if role == "becomes" {
			line = append(line, filepath.Join(s.dir, "becomes"), "cat", "/proc/self/status")
		} else {
			line = append(line, s.cmd.Args...)
		}
		s.cmd.Path, s.cmd.Args = "/usr/bin/env", line
		s.begin()
		blocked := s.out.mask("SigBlk")
		// The C library's posix_spawn, by which make starts a test, leaves its own
		// signals ignored.
		ignored := s.out.mask("SigIgn") &^ (bit(32) | bit(33))
		if want := bit(syscall.SIGHUP); ignored != want {
			t.Errorf("%s: ignored %#x, want %#x", role, ignored, want)
		}
		if want := bit(syscall.SIGUSR2); blocked != want {
			t.Errorf("%s: blocked %#x, want %#x", role, blocked, want)
		}
		s.wantEnd(0)
	}
}

// mask waits for that line of /proc/self/status and returns its bits.
func (l *lines) mask(name string) uint64 {
	l.t.Helper()
	bits, err := strconv.ParseUint(strings.TrimSpace(l.after(name+":")), 16, 64)
	if err != nil {
		l.t.Fatal(err)
	}
	return bits
}

func bit(sig syscall.Signal) uint64 { return 1 << (sig - 1) }
