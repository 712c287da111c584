//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A start is one way to start a program, measured many times.
type start struct {
	what    string
	argv    []string
	loud    bool                                         // it may speak on standard error
	prepare func() (dir string, env []string, err error) // before each run

	costs
	seen Seen // by the emulator, in all runs
}

const secretsAtStart = 50

// starts measures every start of /bin/true in rounds, each in an order of its own, so
// that whatever else the machine does, and what was started before, meets all of them
// alike.
func (b *bench) starts(ctx context.Context) error {
	all, err := b.startsToMeasure(ctx)
	if err != nil {
		return err
	}
	for round := range b.runs + 1 { // the first is not counted: what is on disk comes into memory
		for _, i := range rand.Perm(len(all)) {
			one, seen, err := b.startOnce(ctx, all[i])
			if err != nil {
				return err
			}
			if round > 0 {
				all[i].add(one)
				all[i].seen.Requests += seen.Requests
				all[i].seen.Connections += seen.Connections
			}
		}
	}
	if err := b.printStarts(all); err != nil {
		return err
	}
	b.judgeStarts(all)
	return nil
}

// startsToMeasure are /bin/true alone and under each wrapper.
func (b *bench) startsToMeasure(ctx context.Context) ([]start, error) {
	child := []string{"/bin/true"}
	dotenvHome, dotenvEnv, err := b.bare(b.memory)
	if err != nil {
		return nil, err
	}
	var lines strings.Builder
	for i := range secretsAtStart {
		fmt.Fprintf(&lines, "SECRET_%05d=%s\n", i, strings.Repeat("x", 40))
	}
	if err := os.WriteFile(filepath.Join(dotenvHome, ".env"), []byte(lines.String()), 0o600); err != nil {
		return nil, err
	}
	if err := b.emulator.fill("/", secretsAtStart, 40); err != nil {
		return nil, err
	}
	vault, err := b.synced(ctx, b.memory)
	if err != nil {
		return nil, err
	}
	disk, err := b.synced(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	dotenv := func() (string, []string, error) { return dotenvHome, dotenvEnv, nil }
	run := func(flags ...string) []string {
		return append(append([]string{b.infisync, "run"}, flags...), append([]string{"--"}, child...)...)
	}
	all := []start{{what: "nothing", argv: child, prepare: dotenv}}
	for _, wrapper := range [][]string{{"tini", "--"}, {"dumb-init", "--"}} {
		path, err := exec.LookPath(wrapper[0])
		if err != nil {
			fmt.Printf("left out: %s, which is not here\n", wrapper[0])
			continue
		}
		all = append(all, start{what: wrapper[0], argv: append([]string{path, "--"}, child...), prepare: dotenv})
	}
	return append(all,
		start{what: whatExecve, argv: append([]string{b.helper("execve")}, child...), prepare: dotenv},
		start{what: whatDotenv, argv: run("--exec"), loud: true, prepare: dotenv},
		start{what: "infisync, .env, stays as the parent", argv: run("--once"), loud: true, prepare: dotenv},
		start{what: whatVault, argv: run("--start", "vault", "--exec"), prepare: vault},
		start{what: whatLive, argv: run("--exec"), prepare: func() (string, []string, error) { return b.online(b.memory) }},
		start{what: whatLiveAgain, argv: run("--exec"), prepare: vault},
		start{what: "the same, on a disk", argv: run("--exec"), prepare: disk},
		start{what: "the same, on a disk, nothing there yet", argv: run("--exec"), prepare: func() (string, []string, error) { return b.online(b.dir) }},
	), nil
}

// synced makes a home in dir with a vault, for several starts.
func (b *bench) synced(ctx context.Context, dir string) (prepare func() (string, []string, error), err error) {
	home, env, err := b.online(dir)
	if err != nil {
		return nil, err
	}
	_, err = b.launch(ctx, home, env, b.infisync, "sync")
	return func() (string, []string, error) { return home, env, nil }, err
}

const (
	whatExecve    = "a Go program that only calls execve"
	whatDotenv    = "infisync, .env, --exec"
	whatVault     = "infisync, --start vault, --exec"
	whatLive      = "infisync, live, --exec, nothing kept yet"
	whatLiveAgain = "infisync, live, --exec, a vault kept"
)

func (b *bench) startOnce(ctx context.Context, s start) (cost, Seen, error) {
	dir, env, err := s.prepare()
	if err != nil {
		return cost{}, Seen{}, err
	}
	if err := b.emulator.reset(); err != nil {
		return cost{}, Seen{}, err
	}
	one, err := b.launch(ctx, dir, env, s.argv...)
	if err != nil {
		return cost{}, Seen{}, err
	}
	if one.said != "" && !s.loud { // such as that the server was not reached
		return cost{}, Seen{}, fmt.Errorf("%s says %q", s.what, one.said)
	}
	seen, err := b.emulator.seen()
	return one, seen, err
}

func (b *bench) printStarts(all []start) error {
	floor := float64(median(find(all, whatExecve).cpu))
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{
			s.what, spread(s.cpu), fmt.Sprintf("%.2f×", float64(median(s.cpu))/floor), spread(s.wall),
			mib(median(s.peak)), fmt.Sprint(median(s.faults)),
			fmt.Sprintf("%.3g", float64(s.seen.Requests)/float64(b.runs)), fmt.Sprintf("%.3g", float64(s.seen.Connections)/float64(b.runs)),
		})
	}
	fmt.Printf("Starts of /bin/true, %d secrets, medians of %d runs in random order, quartiles in brackets\n\n", secretsAtStart, b.runs)
	return printTable(os.Stdout, []string{"under", "CPU ms", "of execve", "wall ms", "peak MiB", "page faults", "requests", "connections"}, rows)
}

func find(all []start, what string) start {
	for _, s := range all {
		if s.what == what {
			return s
		}
	}
	panic("bench: nothing is called " + what)
}

func (b *bench) judgeStarts(all []start) {
	floor := median(find(all, whatExecve).cpu)
	for _, t := range []struct {
		what string
		most float64
	}{{whatDotenv, 2}, {whatVault, 3}, {whatLive, 5}, {whatLiveAgain, 5}} {
		s := find(all, t.what)
		ratio := float64(median(s.cpu)) / float64(floor)
		b.target(t.what+": CPU", fmt.Sprintf("≤ %g× execve", t.most), fmt.Sprintf("%.2f× (%s ms of %s)", ratio, ms(median(s.cpu)), ms(floor)), ratio/t.most)
	}
	for _, what := range []string{whatLive, whatLiveAgain} {
		s := find(all, what)
		requests, connections := float64(s.seen.Requests)/float64(b.runs), float64(s.seen.Connections)/float64(b.runs)
		b.target(what+": traffic", "2 requests, 1 connection", fmt.Sprintf("%.3g, %.3g", requests, connections), max(requests/2, connections))
	}
}
