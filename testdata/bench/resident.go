//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// warmUp is how many polls a resident process makes before it is compared with
// itself.
const warmUp = 10

// resident watches an infisync that has nothing to do but to poll, with a few
// secrets and then with many.
func (b *bench) resident(ctx context.Context) error {
	const many = 100 * secretsAtStart
	if err := b.emulator.fill("/many", many, 40); err != nil {
		return err
	}
	few, err := b.idle(ctx, "/", "1s", b.polls)
	if err != nil {
		return err
	}
	b.judgeResident(few)
	lots, err := b.idle(ctx, "/many", "1s", max(warmUp+1, b.polls/2))
	if err != nil {
		return err
	}
	apart, err := b.idle(ctx, "/", "2100ms", max(warmUp+1, b.polls/2))
	if err != nil {
		return err
	}
	fmt.Println()
	for _, h := range []struct {
		secrets int
		history
	}{{secretsAtStart, few}, {many, lots}} {
		fmt.Printf("Resident with %d secrets: %s MiB, of which anonymous %s; at the peak, the start and the polls included, %s\n",
			h.secrets, mib(middle(h.late(), rss)), mib(middle(h.late(), anonymous)), mib(h.last().peak))
	}
	fmt.Printf("An unchanged poll at an interval of 2.1 s: %s ms\n", ms(apart.perPoll()))
	growth := float64(lots.perPoll()) / float64(few.perPoll())
	b.target(fmt.Sprintf("an unchanged poll, %d secrets: CPU", many), "as with 50 (≤ 1.5×)",
		fmt.Sprintf("%.2f× (%s ms of %s)", growth, ms(lots.perPoll()), ms(few.perPoll())), growth/1.5)
	return nil
}

func (b *bench) judgeResident(few history) {
	first, last := few.early(), few.late()
	what := fmt.Sprintf("resident, %d secrets, after %d polls: ", secretsAtStart, b.polls)
	within := func(name string, kib, most int) {
		b.target(what+name, fmt.Sprintf("≤ %d MiB", most>>10), mib(kib)+" MiB", float64(kib)/float64(most))
	}
	within("memory", middle(last, rss), 9<<10)
	within("anonymous memory", middle(last, anonymous), 4<<10)
	const wobble = 512 // a poll does not map the same pages each time
	growth := middle(last, rss) - middle(first, rss)
	b.target(fmt.Sprintf("%sgrowth since poll %d", what, warmUp), fmt.Sprintf("flat (≤ %d KiB)", wobble), fmt.Sprintf("%d KiB", growth), max(0, float64(growth)/wobble))
	constant := func(name string, of func(sample) int) {
		least, most := of(first[0]), of(first[0])
		for _, s := range few.samples {
			least, most = min(least, of(s)), max(most, of(s))
		}
		if least < 0 {
			fmt.Printf("left out: %s, which only root may count, since infisync forbids dumps\n", name)
			return
		}
		b.target(what+name, "constant", fmt.Sprintf("%d–%d", least, most), float64(most)/float64(least))
	}
	constant("threads", func(s sample) int { return s.threads })
	constant("descriptors", func(s sample) int { return s.descriptors })
	b.target("an unchanged poll: CPU", "≤ 2 ms", ms(few.perPoll())+" ms", few.perPoll().Seconds()/0.002)
	requests, connections := few.each(few.seen.Requests), few.each(few.seen.Connections)
	b.target("an unchanged poll: traffic", "login + 304", fmt.Sprintf("%.3g requests, %.3g 304, %.3g connections", requests, few.each(few.seen.Unchanged), connections),
		max(requests/2, 1/few.each(few.seen.Unchanged)))
}

// A sample is what a process has at one moment, between two polls.
type sample struct {
	rss, anonymous int // KiB
	peak           int // of rss since the start
	threads        int
	descriptors    int // -1: not to be known
	cpu            time.Duration
}

// A history is a process over many polls after its first ones.
type history struct {
	samples []sample
	polls   int  // between the first sample and the last
	seen    Seen // by the emulator, in between
}

func (h history) last() sample { return h.samples[len(h.samples)-1] }

// early and late are a few samples from either end: memory goes up and down.
func (h history) early() []sample { return h.samples[:min(10, len(h.samples))] }
func (h history) late() []sample  { return h.samples[max(0, len(h.samples)-10):] }

func rss(s sample) int       { return s.rss }
func anonymous(s sample) int { return s.anonymous }

// middle is the median of what of takes from samples.
func middle(samples []sample, of func(sample) int) int {
	all := make([]int, len(samples))
	for i, s := range samples {
		all[i] = of(s)
	}
	return median(all)
}

func (h history) perPoll() time.Duration {
	return (h.last().cpu - h.samples[0].cpu) / time.Duration(h.polls)
}

func (h history) each(n int) float64 { return float64(n) / float64(h.polls) }

// idle runs infisync until it has made so many polls, and looks at it between them.
func (b *bench) idle(ctx context.Context, path, interval string, polls int) (h history, err error) {
	w, err := b.watch(ctx, path, interval)
	if err != nil {
		return h, err
	}
	defer func() {
		if said := w.stop(); err != nil {
			err = fmt.Errorf("%w\n%s", err, said)
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _, err := w.started()
		if err == nil {
			err = errors.New("a child was started although nothing had changed")
		}
		cancel(err)
	}()
	var before Seen
	for n := warmUp; n <= polls; n++ {
		if err := b.emulator.unchanged(ctx, n); err != nil {
			return h, err
		}
		time.Sleep(400 * time.Millisecond) // it does what follows an answer, and the next poll is not due
		now, err := look(w.cmd.Process.Pid)
		if err != nil {
			return h, err
		}
		h.samples = append(h.samples, now)
		if n > warmUp {
			continue
		}
		if before, err = b.emulator.seen(); err != nil {
			return h, err
		}
	}
	h.polls = polls - warmUp
	h.seen, err = b.emulator.seen()
	h.seen.Requests -= before.Requests
	h.seen.Unchanged -= before.Unchanged
	h.seen.Connections -= before.Connections
	return h, err
}

// A watcher is an infisync that polls, around a child that prints a
// line at each of its starts.
type watcher struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	said  strings.Builder // on standard error
}

// watch returns when the first child has started. The emulator counts from then.
func (b *bench) watch(ctx context.Context, path, interval string) (*watcher, error) {
	home, env, err := b.online(b.dir)
	if err != nil {
		return nil, err
	}
	w := &watcher{cmd: exec.CommandContext(ctx, b.infisync, "run", "--path", path, "--interval", interval, "--debounce", "0s", "--", b.helper("stamp"))}
	w.cmd.Dir, w.cmd.Env, w.cmd.Stderr = home, env, &w.said
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	w.cmd.Cancel = func() error { return w.cmd.Process.Signal(syscall.SIGTERM) }
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.lines = bufio.NewScanner(out)
	if _, _, err := w.started(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.stop())
	}
	return w, b.emulator.reset()
}

// started waits for the next child and returns the generation it was given and
// when it started, in nanoseconds of CLOCK_MONOTONIC.
func (w *watcher) started() (generation string, at int64, err error) {
	if !w.lines.Scan() {
		return "", 0, errors.New("infisync ended before a child started")
	}
	generation, stamp, _ := strings.Cut(w.lines.Text(), " ")
	at, err = strconv.ParseInt(stamp, 10, 64)
	return generation, at, err
}

// stop ends infisync and its child and returns what infisync said.
func (w *watcher) stop() (said string) {
	w.cmd.Process.Signal(syscall.SIGTERM)
	w.cmd.Wait()
	return w.said.String()
}

// look reads what the kernel tells of a process.
func look(pid int) (s sample, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		to := map[string]*int{"VmRSS": &s.rss, "RssAnon": &s.anonymous, "VmHWM": &s.peak, "Threads": &s.threads}[name]
		if to == nil {
			continue
		}
		if _, err := fmt.Sscan(value, to); err != nil && err != io.EOF {
			return s, fmt.Errorf("reading %s of process %d: %w", name, pid, err)
		}
	}
	s.descriptors = -1
	if entries, err := os.ReadDir(filepath.Join(dir, "fd")); err == nil {
		s.descriptors = len(entries)
	}
	// The clock of a process's CPU time, exact and with the threads that have ended.
	const schedulerClock = 2
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &used); err != nil {
		return s, fmt.Errorf("reading the CPU time of process %d: %w", pid, err)
	}
	s.cpu = time.Duration(used.Nano())
	return s, nil
}
