//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A cost is what one run of a command took, with all that it waited for.
type cost struct {
	cpu, wall time.Duration
	peak      int    // resident memory, in KiB
	faults    int    // of pages, that needed no disk
	said      string // on standard error
}

// costs are those of several runs.
type costs struct {
	cpu, wall []time.Duration
	peak      []int
	faults    []int
}

func (c *costs) add(one cost) {
	c.cpu, c.wall = append(c.cpu, one.cpu), append(c.wall, one.wall)
	c.peak, c.faults = append(c.peak, one.peak), append(c.faults, one.faults)
}

// launch runs a command in the environment env and in the directory dir.
func (b *bench) launch(ctx context.Context, dir string, env []string, argv ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, b.helper("launcher"), argv...)
	cmd.Dir, cmd.Env = dir, env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return cost{}, fmt.Errorf("running %q: %w\n%s", argv, err, said.String())
	}
	var cpu, wall int64
	var peak, faults, status int
	if _, err := fmt.Sscan(string(out), &cpu, &wall, &peak, &faults, &status); err != nil {
		return cost{}, fmt.Errorf("reading what %q cost: %w", argv, err)
	}
	if status != 0 {
		return cost{}, fmt.Errorf("running %q: wait status %d\n%s", argv, status, said.String())
	}
	return cost{time.Duration(cpu) * time.Microsecond, time.Duration(wall), peak, faults, said.String()}, nil
}

// bare is the environment of everything that is measured, with a state directory
// and a home in dir that did not exist before.
func (b *bench) bare(dir string) (home string, env []string, err error) {
	b.dirs++
	home = filepath.Join(dir, "home-"+strconv.Itoa(b.dirs))
	if err := os.Mkdir(home, 0o700); err != nil {
		return "", nil, err
	}
	return home, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_STATE_HOME=" + home, "TINI_SUBREAPER=1"}, nil
}

// online is bare with what infisync needs to reach the emulator.
func (b *bench) online(dir string) (home string, env []string, err error) {
	home, env, err = b.bare(dir)
	return home, append(env, b.emulator.variables...), err
}
