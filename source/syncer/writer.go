package syncer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
)

// A writer brings changes to one place. Jobs wait in a queue; what becomes of one
// depends on the answer:
//
//	done, awaiting approval     its changes are settled
//	refused                     it goes back in halves, behind the others, until the
//	                            names stand alone that are refused; see probe
//	upsert not possible         it goes back to be created and updated apart
//	exists, or does not         the place is listed and the job planned anew
//	no answer                   likewise, after a wait; what took effect is settled
//	all else                    the writer ends
type writer struct {
	session *infisical.Session
	policy  infisical.Policy // for the waits
	place   source.Place
	held    holding // by the last listing
	folders bool    // make the folder when it is missing
	made    bool    // it was made

	apart    bool // do not upsert: the server cannot, or the identity may not
	queue    []job
	written  [actions]int  // changes that the server took, by action
	refusals [actions]int  // changes that it refused alone
	probed   [actions]bool // see probe
	settled  int
	total    int
	progress func(done, total int)
}

// run settles all of the changes. With an error those that had no turn are
// OutcomeNotTried.
func (w *writer) run(ctx context.Context, changes []*change) error {
	for _, c := range changes {
		c.result.Outcome = "" // until then it was the plan
	}
	w.total = len(changes)
	w.queue = w.jobs(changes)
	var err error
	for len(w.queue) > 0 {
		next := w.queue[0]
		w.queue = w.queue[1:]
		if err = w.do(ctx, next); err != nil {
			break
		}
		w.tell()
	}
	if err == nil {
		w.verify(ctx, changes)
		return nil
	}
	for _, c := range changes {
		if c.result.Outcome == "" {
			w.fail(c, OutcomeNotTried, err)
		}
	}
	w.tell()
	return err
}

func (w *writer) tell() {
	if w.progress != nil {
		w.progress(w.settled, w.total)
	}
}

// jobs divides changes into what one request carries.
func (w *writer) jobs(changes []*change) []job {
	var jobs []job
	if len(changes) <= fewChanges {
		for _, c := range changes {
			jobs = append(jobs, job{changes: []*change{c}})
		}
		return jobs
	}
	for _, chunk := range infisical.Chunks(items(changes)) {
		jobs = append(jobs, job{changes: changes[:len(chunk):len(chunk)]})
		changes = changes[len(chunk):]
	}
	return jobs
}

// do sends one job and deals with the answer.
func (w *writer) do(ctx context.Context, j job) error {
	upsert := len(j.changes) > 1 && !w.apart && j.changes[0].action != toDelete
	if of := j.changes[0].action; !upsert && slices.ContainsFunc(j.changes, func(c *change) bool { return c.action != of }) {
		w.sendFirst(j.byAction()...)
		return nil
	}
	result, err := w.send(ctx, j.changes, upsert)
	code := source.CodeOf(err)
	if unknown, ok := errors.AsType[*infisical.UnknownOutcome](err); ok {
		return w.lookUp(ctx, j, unknown)
	}
	switch {
	case err == nil:
		w.done(j.changes, result)
		return nil
	case upsert && (code == source.CodeSecretNotFound || code == source.CodeAccessDenied):
		w.apart = true
		w.sendFirst(j)
		return nil
	case code == source.CodeSecretNotFound, errors.Is(err, infisical.ErrExists):
		return w.planAnew(ctx, j, err)
	case code == source.CodeRequestRefused, code == source.CodeAccessDenied:
		w.refused(j, err)
		return nil
	case code == source.CodePlaceNotFound && w.folders && !w.made:
		w.made = true
		w.sendFirst(j)
		return w.session.CreateFolder(ctx, w.place)
	}
	return err
}

// send makes the request for changes of one action or, to be upserted, of two.
func (w *writer) send(ctx context.Context, changes []*change, upsert bool) (infisical.Result, error) {
	first, all := changes[0], items(changes)
	one := len(changes) == 1
	switch {
	case upsert:
		return w.session.UpdateAll(ctx, w.place, all, infisical.Upsert)
	case first.action == toCreate && one:
		return w.session.Create(ctx, w.place, first.item)
	case first.action == toCreate:
		return w.session.CreateAll(ctx, w.place, all)
	case first.action == toUpdate && one:
		return w.session.Update(ctx, w.place, first.item)
	case first.action == toUpdate:
		return w.session.UpdateAll(ctx, w.place, all, infisical.FailOnMissing)
	case one:
		return w.session.Delete(ctx, w.place, first.item.Name)
	}
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.item.Name
	}
	return w.session.DeleteAll(ctx, w.place, names)
}

func (w *writer) done(changes []*change, result infisical.Result) {
	for _, c := range changes {
		c.merged = len(changes) > 1
		c.result.Version = result.Versions[c.item.Name]
		w.written[c.action]++
		if result.Approval != nil {
			w.settle(c, OutcomeAwaiting)
		} else {
			w.settle(c, c.action.outcome())
		}
	}
}

func (w *writer) settle(c *change, outcome Outcome) {
	c.result.Outcome = outcome
	w.settled++
}

func (w *writer) fail(c *change, outcome Outcome, err error) {
	c.result.fail(outcome, err)
	w.settled++
}

// refused deals with a job of which nothing was written because the server did not
// like something in it.
func (w *writer) refused(j job, err error) {
	if len(j.changes) == 1 {
		c := j.changes[0]
		w.fail(c, OutcomeRefused, err)
		if w.refusals[c.action]++; w.refusals[c.action] >= maxProbes && w.written[c.action] == 0 {
			w.giveUp(c.action, err)
		}
		return
	}
	if rest := w.refuseLowerCase(j.changes, err); len(rest) < len(j.changes) {
		w.sendLast(job{changes: rest})
		return
	}
	w.sendLast(j.halves()...)
	for _, part := range nonEmpty(j.byAction()) {
		w.probe(part.changes[0].action, j.lost)
	}
}

// probe finds out whether it is one name or all that the server does not like, in
// the few requests that finding one takes at best: while nothing is written yet,
// some changes go out alone, ahead of the others, picked evenly from what is left.
func (w *writer) probe(of action, lost bool) {
	if w.probed[of] || w.written[of] > 0 {
		return
	}
	w.probed[of] = true
	left := 0
	for _, j := range w.queue {
		for _, c := range j.changes {
			if c.action == of {
				left++
			}
		}
	}
	step, i := max(1, left/maxProbes), -1
	probes := w.takeOut(func(c *change) bool {
		if c.action != of {
			return false
		}
		i++
		return i%step == 0 && i/step < maxProbes
	})
	jobs := make([]job, len(probes))
	for i, c := range probes {
		jobs[i] = job{changes: []*change{c}, lost: lost}
	}
	w.sendFirst(jobs...)
}

// giveUp settles what would only be refused like everything before.
func (w *writer) giveUp(of action, err error) {
	for _, c := range w.takeOut(func(c *change) bool { return c.action == of }) {
		w.fail(c, OutcomeNotTried, err)
	}
}

// takeOut takes changes out of the queue.
func (w *writer) takeOut(which func(*change) bool) (taken []*change) {
	for i, j := range w.queue {
		var left []*change
		for _, c := range j.changes {
			if which(c) {
				taken = append(taken, c)
			} else {
				left = append(left, c)
			}
		}
		w.queue[i].changes = left
	}
	w.queue = nonEmpty(w.queue)
	return taken
}

// refuseLowerCase settles the new names with lower-case letters when that is what
// the server did not like, and returns the other changes: one answer says it of
// all names.
func (w *writer) refuseLowerCase(changes []*change, err error) (rest []*change) {
	if !isUpperCaseRule(err) {
		return changes
	}
	for _, c := range changes {
		if c.action == toCreate && c.item.Name != strings.ToUpper(c.item.Name) {
			w.fail(c, OutcomeRefused, err)
		} else {
			rest = append(rest, c)
		}
	}
	return rest
}

func (w *writer) sendFirst(jobs ...job) { w.queue = append(nonEmpty(jobs), w.queue...) }

func (w *writer) sendLast(jobs ...job) { w.queue = append(w.queue, nonEmpty(jobs)...) }
