package syncer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"infisync/source"
)

// Watch sends a Snapshot each time what a child may run with changed, until ctx
// ends; then it closes the channel. Only the newest unsent Snapshot is kept.
func (s *Syncer) Watch(ctx context.Context) <-chan Snapshot {
	out := make(chan Snapshot, 1)
	go func() {
		defer close(out)
		s.watch(ctx, out)
	}()
	return out
}

func (s *Syncer) watch(ctx context.Context, out chan Snapshot) {
	defer s.closeStore()
	s.forgetStart()
	// What a start can do without is done now.
	s.sweep()
	if s.current.From == FromServer && !s.current.Pulled.IsZero() {
		s.storeGraph()
	}
	hints := s.watchFiles(ctx)
	wait := time.Duration(rand.Float64() * float64(s.opt.Interval)) // those that start together part here
	if s.opt.Start == "vault" {
		wait = 0 // the start did not ask; now is the time
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	quiet := wait > 0 // and nobody has to act on what the last look brought
	for {
		if quiet && s.opt.Idle != nil {
			s.opt.Idle()
		}
		changed := false
		select {
		case <-ctx.Done():
			return
		case <-hints:
			changed = s.look(ctx)
		case <-timer.C:
			s.sweep()
			changed = s.look(ctx)
			changed = s.poll(ctx) || changed
			timer.Reset(s.wait())
		}
		s.observe(changed)
		quiet = !changed
		if changed && ctx.Err() == nil {
			select {
			case <-out: // superseded before it was taken
			default:
			}
			out <- s.current
		}
	}
}

// look compares the files in use with what they held.
func (s *Syncer) look(ctx context.Context) bool {
	changed := s.lookAtEnvFiles(ctx)
	if s.opt.Start == "offline" {
		changed = s.lookAtVault() || changed
	}
	return changed
}

// poll asks the server once and tells whether the snapshot changed.
func (s *Syncer) poll(ctx context.Context) bool {
	if s.opt.Client == nil {
		return false
	}
	before := s.current
	p, err := s.pull(ctx, s.opt.Client)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		if s.failed(err) {
			s.opt.Log.Warn(fmt.Sprintf("poll failed, the child keeps its secrets: %v", err), "code", string(source.CodeOf(err)))
		}
		return false
	}
	recovered := s.failures > 0
	if recovered {
		s.opt.Log.Info(fmt.Sprintf("the server answers again after %d failed polls", s.failures))
	}
	s.failures, s.kind = 0, ""
	changed := s.consider(p)
	s.opt.Metrics.Polled(result(changed))
	if changed || recovered {
		s.tellComplete(before.Secrets)
	}
	return changed || s.current.Hasher != before.Hasher // by which others tell whether the child is current
}

// consider accepts what a poll brought, unless it lost names that the poll before
// still had: those must be lost twice in a row.
func (s *Syncer) consider(p pull) bool {
	before := s.current
	if p.unchanged && before.From == FromServer {
		s.pending = nil
		s.current.Pulled = p.began.UTC()
		s.storeUnchanged()
		return false
	}
	set := s.keepVanished(p, p.set())
	lost := before.Secrets.Lost(set)
	if len(lost) > 0 && !equalNames(lost, s.pending) {
		s.pending = lost
		s.storeDoubted()
		s.opt.Log.Info("no longer listed, dropped if the next poll agrees: " + strings.Join(lost, ", "))
		return false
	}
	s.accept(p, set)
	if report := s.storeSync(s.doubt(p)); len(report.Removed) > 0 {
		s.opt.Log.Info("orphans removed from the vault: " + strings.Join(report.Removed, ", "))
	}
	return before.From != FromServer && before.From != FromVault || !before.Secrets.Equal(set)
}

func equalNames(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

// wait is the time to the next poll: the interval, doubled for each failure in a
// row, and varied so that many processes do not ask at once.
func (s *Syncer) wait() time.Duration {
	wait := s.opt.Interval
	longest := max(s.opt.Policy.MaxBackOff, wait)
	for range min(s.failures, 30) {
		wait = min(wait*2, longest)
	}
	if source.CauseOf(s.kind) == source.CauseRefused {
		wait = max(wait, s.opt.Policy.RefusedWait)
	}
	vary := 1 + s.opt.Policy.Jitter*(2*rand.Float64()-1)
	return max(time.Duration(float64(wait)*vary), time.Millisecond)
}
