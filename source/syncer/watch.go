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
// ends; then it closes the channel, once nothing more is written: what is waited for,
// a lock or the server, is given up at once. Only the newest unsent Snapshot is kept.
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
		s.storeGraph(ctx)
	}
	hints := s.watchFiles(ctx)
	wait := time.Duration(rand.Float64() * float64(s.opt.Interval)) // those that start together part here
	if s.opt.Start == "vault" {
		wait = 0 // the start did not ask; now is the time
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var polling <-chan answered // nil: no poll is under way
	quiet := wait > 0           // and nobody has to act on what the last look brought
	for {
		if quiet && s.opt.Idle != nil {
			s.opt.Idle()
		}
		changed := false
		select {
		case <-ctx.Done():
			if polling != nil {
				<-polling
			}
			return
		case <-hints:
			changed = s.look(ctx)
		case <-timer.C:
			s.sweep()
			changed = s.look(ctx)
			if s.opt.Client != nil {
				polling = s.beginPoll(ctx)
			} else {
				timer.Reset(s.wait())
			}
		case a := <-polling:
			polling = nil
			changed = s.settle(ctx, a)
			timer.Reset(s.wait())
		}
		s.observe(changed)
		quiet = !changed && polling == nil
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
		changed = s.lookAtVault(ctx) || changed
	}
	return changed
}

// answered is what a poll brought.
type answered struct {
	pull
	err error
}

// beginPoll asks the server. Its tries and the waits between them may take minutes, in
// which .env files are what one mends things with: so it has a goroutine of its own. That
// writes nothing that look and observe read, nor they what it reads.
func (s *Syncer) beginPoll(ctx context.Context) <-chan answered {
	polling := make(chan answered, 1)
	go func() {
		p, err := s.pull(ctx, s.opt.Client)
		polling <- answered{p, err}
	}()
	return polling
}

// settle makes of a poll what follows from it, and tells whether the snapshot changed.
func (s *Syncer) settle(ctx context.Context, a answered) bool {
	if ctx.Err() != nil {
		return false
	}
	if a.err != nil {
		if s.failed(ctx, a.err) {
			s.opt.Log.Warn(fmt.Sprintf("poll failed, the child keeps its secrets: %v", a.err), "code", string(source.CodeOf(a.err)))
		}
		return false
	}
	recovered := s.failures > 0
	if recovered {
		s.opt.Log.Info(fmt.Sprintf("the server answers again after %d failed polls", s.failures))
	}
	s.failures, s.kind = 0, ""
	before := s.current
	s.followSecret(ctx, s.loggedIn)
	changed := s.consider(ctx, a.pull)
	if ctx.Err() != nil { // it may not have been kept, and nobody is left to whom it matters
		return false
	}
	s.opt.Metrics.Polled(result(changed))
	if changed || recovered {
		s.tellComplete(before.Secrets)
	}
	return changed || s.current.Hasher != before.Hasher // by which others tell whether the child is current
}

// consider accepts what a poll brought, unless it lost names that the poll before
// still had: those must be lost twice in a row.
func (s *Syncer) consider(ctx context.Context, p pull) bool {
	before := s.current
	if p.unchanged && before.From == FromServer {
		s.pending = nil
		s.current.Pulled = p.began.UTC()
		s.storeUnchanged(ctx)
		return false
	}
	set := s.keepVanished(p, p.set())
	lost := before.Secrets.Lost(set)
	if len(lost) > 0 && !equalNames(lost, s.pending) {
		s.pending = lost
		s.storeDoubted(ctx)
		s.opt.Log.Info("no longer listed, dropped if the next poll agrees: " + source.Enumerate(lost, ", "))
		return false
	}
	s.accept(p, set)
	if report := s.storeSync(ctx, s.doubt(p)); len(report.Removed) > 0 {
		s.opt.Log.Info("orphans removed from the vault: " + source.Enumerate(report.Removed, ", "))
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
