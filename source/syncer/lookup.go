package syncer

import (
	"context"
	"slices"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// planAnew deals with a job that found other names there than were listed: someone
// else writes, too.
func (w *writer) planAnew(ctx context.Context, j job, err error) error {
	if j.turns++; j.turns > maxTurns {
		w.refused(j, err)
		return nil
	}
	if c := j.changes[0]; len(j.changes) == 1 {
		switch c.action {
		case toCreate:
			c.action = toUpdate
		case toUpdate:
			c.action = toCreate
		case toDelete:
			w.settle(c, OutcomeGone)
			return nil
		}
		w.sendFirst(j)
		return nil
	}
	if err := w.held.read(ctx, w.session, w.place); err != nil {
		return err
	}
	j.changes = w.compare(j.changes, false, func(c *change) Outcome {
		if c.action == toDelete {
			return OutcomeGone
		}
		return OutcomeUnchanged
	})
	w.sendFirst(j)
	return nil
}

// lookUp deals with a job that may have taken effect.
func (w *writer) lookUp(ctx context.Context, j job, unknown *infisical.UnknownOutcome) error {
	var err error
	if !j.lost {
		wait := w.policy.ConnectionWait
		if source.CodeOf(unknown) == source.CodeServerError {
			wait = w.policy.ServerErrorWait
		}
		err = sleep(ctx, wait)
	}
	if err == nil {
		err = w.held.read(ctx, w.session, w.place)
	}
	if err != nil {
		for _, c := range j.changes {
			w.fail(c, OutcomeUnknown, unknown)
		}
		return err
	}
	rest := w.compare(j.changes, true, func(c *change) Outcome {
		w.written[c.action]++
		return c.action.outcome()
	})
	switch {
	case len(rest) == 0:
	case j.lost && len(rest) == 1 && w.held.blind && rest[0].action == toUpdate:
		w.fail(rest[0], OutcomeUnknown, unknown)
	case j.lost:
		// The server answers when it is asked, and failed twice at this.
		w.refused(job{changes: rest, lost: true}, unknown.Err)
	default:
		w.sendFirst(job{changes: rest, turns: j.turns, lost: true})
	}
	return nil
}

// compare settles the changes that the listing shows to be there and returns the
// others, as they are to be done now. Ours tells that they may have been made by
// this writer: where values cannot be read, a new name then tells it.
func (w *writer) compare(changes []*change, ours bool, outcome func(*change) Outcome) (rest []*change) {
	for _, c := range changes {
		secret, there := w.held.set.Get(c.item.Name)
		done := there && secret.Value.Equal(infisical.Normalize(c.item.Value))
		switch {
		case c.action == toDelete:
			done = !there
		case w.held.blind:
			done = there && ours && c.action == toCreate
		}
		if done {
			c.result.Version = secret.Version
			w.settle(c, outcome(c))
			continue
		}
		if c.action != toDelete {
			c.action = toCreate
			if there {
				c.action, c.old = toUpdate, secret.Value
			}
		}
		rest = append(rest, c)
	}
	return rest
}

// verify looks for updates that the server dropped without a word, as it does in a
// batch with a secret that it rotates itself. When it cannot be asked, its answer
// to the update stands.
func (w *writer) verify(ctx context.Context, changes []*change) {
	doubtful := slices.DeleteFunc(slices.Clone(changes), func(c *change) bool {
		return !c.merged || c.result.Outcome != OutcomeUpdated
	})
	if len(doubtful) == 0 || w.held.blind || w.held.read(ctx, w.session, w.place) != nil {
		return
	}
	for _, c := range doubtful {
		if now, there := w.held.set.Get(c.item.Name); there && now.Value.Equal(c.old) {
			c.result.fail(OutcomeRefused, source.Errorf(source.CodeRequestRefused,
				"the server kept the old value, as it does with a secret that it rotates"))
			c.result.Version = 0
		}
	}
}

// sleep waits, and ends with an error when the context does.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return source.Errorf(source.CodeTimeout, "waiting to try again: %w", ctx.Err())
	}
}
