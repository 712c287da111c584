//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// changes measures from the moment the server sends the answer that holds a change
// to the moment the new child, a Go program, gets to its first line. The child that
// it replaces ends at once.
func (b *bench) changes(ctx context.Context) (err error) {
	const path = "/changing"
	if err := b.emulator.fill(path, secretsAtStart-1, 40); err != nil {
		return err
	}
	set := func(generation string) error {
		return b.emulator.set(path, map[string]string{"GENERATION": generation})
	}
	if err := set("first"); err != nil {
		return err
	}
	w, err := b.watch(ctx, path, "1s")
	if err != nil {
		return err
	}
	defer func() {
		if said := w.stop(); err != nil {
			err = fmt.Errorf("%w\n%s", err, said)
		}
	}()
	var took []time.Duration
	for i := range b.runs / 2 {
		want := strconv.Itoa(i)
		if err := set(want); err != nil {
			return err
		}
		generation, at, err := w.started()
		if err != nil {
			return err
		}
		if generation != want {
			return fmt.Errorf("a child started with generation %q, not with %q", generation, want)
		}
		seen, err := b.emulator.seen()
		if err != nil {
			return err
		}
		took = append(took, time.Duration(at-seen.Listed))
	}
	b.target("from the answer with the change to the new child", "≤ 25 ms", spread(took)+" ms", median(took).Seconds()/0.025)
	return nil
}
