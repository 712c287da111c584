//go:build linux

package main

import (
	"context"
	"fmt"
)

// large compares first syncs of many secrets with those of a tenth.
func (b *bench) large(ctx context.Context) error {
	sizes := []struct {
		path string
		n    int
		costs
	}{{path: "/large/500", n: 500}, {path: "/large/5000", n: 5000}}
	for _, s := range sizes {
		if err := b.emulator.fill(s.path, s.n, 200); err != nil {
			return err
		}
	}
	for range max(20, b.runs/3) {
		for i := range sizes {
			home, env, err := b.online(b.dir)
			if err != nil {
				return err
			}
			one, err := b.launch(ctx, home, env, b.infisync, "sync", "--path", sizes[i].path)
			if err != nil {
				return err
			}
			sizes[i].add(one)
		}
	}
	small, big := median(sizes[0].wall), median(sizes[1].wall)
	ratio := float64(big) / float64(small)
	b.target("first sync of 5000 secrets: time", "≤ 12× that of 500", fmt.Sprintf("%.1f× (%s ms of %s)", ratio, ms(big), ms(small)), ratio/12)
	peak := median(sizes[1].peak)
	b.target("first sync of 5000 secrets: memory", "≤ 64 MiB", mib(peak)+" MiB", float64(peak)/(64<<10))
	fmt.Printf("\nFirst sync of 500 and of 5000 secrets: %s and %s ms of CPU\n", spread(sizes[0].cpu), spread(sizes[1].cpu))
	return nil
}
