package inject

import (
	"math/rand/v2"
	"syscall"
	"time"
)

// onUpdate takes in a new environment.
func (r *supervision) onUpdate(env Env) {
	if err := r.Command.Check(env); err != nil {
		r.Log.Error("changed secrets are not used: " + err.Error())
		return
	}
	r.newest = env
	if env.Digest() != r.quarantined {
		r.release()
	}
	r.considerChange()
}

// considerChange sets the alarms that lead to act when the child should have
// another environment, and cancels them when it should not. While a child is
// being replaced it does nothing: it is called again when that is over.
func (r *supervision) considerChange() {
	if !r.state.settled() || r.other != nil {
		return
	}
	pending := !r.alarms[alarmQuiet].IsZero() || !r.alarms[alarmSplay].IsZero()
	digest := r.newest.Digest()
	if digest == r.child.digest || digest == r.quarantined {
		r.cancel(alarmQuiet, alarmSplay)
		if pending {
			r.Log.Debug("the change was undone")
			r.emit(Event{Kind: EventUndone, PID: r.child.pid, Digest: r.child.digest})
		}
		return
	}
	r.cancel(alarmSplay)
	r.at(alarmQuiet, r.Debounce)
}

func (r *supervision) onQuiet() {
	if r.Splay > 0 {
		r.at(alarmSplay, time.Duration(rand.Int64N(int64(r.Splay))))
		return
	}
	r.act()
}

// act does what a change leads to.
func (r *supervision) act() {
	// A child that ended by itself is not started again by a change, so the
	// kernel is asked before a stop is sent.
	if r.onChildren(); !r.state.settled() || r.other != nil {
		return
	}
	changes := Diff(r.child.env, r.newest)
	event := Event{PID: r.child.pid, Digest: r.newest.Digest(), Changes: changes}
	action, signals := reactionTo(r.OnChange, changes)
	if action != ChangeExit {
		if err := r.shelf.put(r.newest.files); err != nil {
			r.Log.Error("changed secrets are not used: " + err.Error())
			r.isolate(r.newest.Digest())
			return
		}
	}
	switch action {
	case ChangeNone:
		r.Log.Info("not restarting: " + changes.String())
		event.Kind = r.adopt()
		r.emit(event)
	case ChangeSignal:
		event.Kind = r.adopt()
		r.emit(event)
		for _, sig := range signals {
			r.Log.Info("sending " + signalName(sig) + ": " + changes.String())
			r.signal(r.child, sig)
		}
	case ChangeExit:
		r.Log.Info("stopping: " + changes.String())
		event.Kind = EventStopping
		r.emit(event)
		r.replace(plan{state: done})
	default:
		r.Log.Info("restarting: " + changes.String())
		event.Kind = EventRestarting
		r.emit(event)
		if p := r.planFor(r.newest); r.Overlap {
			r.overlap(p)
		} else {
			r.replace(p)
		}
	}
}

// adopt makes the newest environment the one that further changes are compared
// with, although the child does not have it, or only by what it was told. A
// rollback of a later change goes back to this one, not to what is older still.
// It returns whether the child has it, all the same, in its files.
func (r *supervision) adopt() EventKind {
	kind := EventStale
	if Diff(r.child.env.variables(), r.newest.variables()).Empty() {
		kind = EventGiven
	}
	r.child.env, r.child.digest = r.newest, r.newest.Digest()
	if r.child.accepted {
		good := r.newest
		r.good = &good
	}
	return kind
}

// putBack has the files hold again what the child was started with.
func (r *supervision) putBack() {
	if err := r.shelf.put(r.child.env.files); err != nil {
		r.Log.Error("putting the previous secrets back: " + err.Error())
	}
}

// planFor is how a child with env is started: on trial when there is something
// better known to go back to.
func (r *supervision) planFor(env Env) plan {
	if r.NoRollback || r.good == nil || r.good.Digest() == env.Digest() {
		return plan{running, env}
	}
	return plan{trial, env}
}

// usable is the newest environment that is not in quarantine.
func (r *supervision) usable() Env {
	if r.quarantined != "" && r.quarantined == r.newest.Digest() {
		return r.child.env
	}
	return r.newest
}

// replace stops the child; next follows when its group is gone.
func (r *supervision) replace(next plan) {
	r.state, r.upNext = replacing, next
	r.cancel(alarmProbation)
	r.endCheck(r.child)
	r.signal(r.child, r.StopSignal)
	if r.child.suspended() {
		r.signal(r.child, continueSignal) // a stopped process would not see the other
	}
	r.killed = false
	r.at(alarmKill, r.StopTimeout)
}

// kill ends what did not end by itself in time.
func (r *supervision) kill() {
	switch r.state {
	case replacing, stopping, sweeping:
		r.Log.Warn("the child's processes did not end in time and are killed", "pid", r.child.pid)
		r.killed = true
		if err := r.child.group.signal(syscall.SIGKILL); err != nil {
			r.Log.Error("killing the child: " + err.Error())
		}
		if r.other != nil {
			r.killOther()
		}
		r.at(alarmPoll, pollEvery)
	}
}
