package inject

import (
	"context"
	"log/slog"
	"time"
)

// consider accepts the child when it is healthy and has outlived its probation.
func (r *supervision) consider() {
	c := r.child
	if c.accepted || !r.state.settled() || !c.healthy || time.Since(c.since) < r.Probation {
		return
	}
	c.accepted = true
	good := c.env
	r.good, r.failures = &good, 0
	level := slog.LevelInfo
	if r.state == running {
		level = slog.LevelDebug // there was no doubt
	}
	r.Log.Log(context.Background(), level, "the child is accepted", "pid", c.pid)
	r.state = running
	r.emit(Event{Kind: EventAccepted, PID: c.pid, Digest: c.digest})
}

// rollBack settles that the previous environment is used again, or an even newer
// one that has come meanwhile.
func (r *supervision) rollBack(failed string) {
	r.isolate(failed)
	if newest := r.newest.Digest(); newest != failed {
		r.release()
		r.upNext = r.planFor(r.newest)
		return
	}
	r.Log.Error("going back to the previous secrets: " + Diff(r.newest, *r.good).String())
	r.emit(Event{Kind: EventRolledBack, Digest: r.good.Digest()})
	r.upNext = plan{rollback, *r.good}
}

// isolate puts an environment into quarantine.
func (r *supervision) isolate(digest string) {
	r.quarantined = digest
	if r.Quarantine > 0 {
		r.at(alarmQuarantine, r.Quarantine)
	}
	r.emit(Event{Kind: EventQuarantined, Digest: digest})
}

// release ends the quarantine, if there is one.
func (r *supervision) release() {
	if r.quarantined == "" {
		return
	}
	r.emit(Event{Kind: EventReleased, Digest: r.quarantined})
	r.Log.Debug("the quarantine is over")
	r.quarantined = ""
	r.cancel(alarmQuarantine)
}

// secretsWereNotTheCause ends a rollback that failed as well: the newest
// environment is used again, and nothing is known to be good.
func (r *supervision) secretsWereNotTheCause() {
	r.Log.Error("the child failed with the previous secrets too: they were not the cause")
	r.good = nil
	r.release()
}

// fail ends a child on trial that runs and is not what it should be.
func (r *supervision) fail(c *child) {
	switch r.state {
	case trial:
		r.rollBack(c.digest)
		r.replace(r.upNext)
	case rollback:
		r.secretsWereNotTheCause()
		r.state = running
		r.considerChange()
	}
}
