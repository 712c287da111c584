package inject

import (
	"os"
	"syscall"
	"time"
)

// start begins the plan: a child, unless a stop was asked meanwhile.
func (r *supervision) start(p plan) {
	r.state = starting
	for _, sig := range r.Signals.take() {
		r.onSignal(sig)
	}
	if r.stop != 0 {
		r.finish()
		return
	}
	c, err := r.launch(p)
	if err != nil {
		r.startFailed(p, err)
		return
	}
	r.child, r.state, r.status = c, p.state, Status{}
	r.terminal.started(c.pid)
	for _, sig := range r.held {
		r.forward(sig)
	}
	r.held = nil
	r.at(alarmProbation, r.Probation)
	r.beginCheck(c)
	r.considerChange() // what came while the one before was ending
}

// launch starts a child.
func (r *supervision) launch(p plan) (*child, error) {
	if err := r.shelf.put(p.env.files); err != nil {
		return nil, err
	}
	files, extra := r.inherited()
	c := &child{env: p.env, digest: p.env.Digest(), plan: p.state}
	if r.Overlap && r.ReadyAfter == 0 {
		socket, err := newNotifySocket()
		if err != nil {
			return nil, err
		}
		c.notify = socket
		extra = append(extra, NewVar("NOTIFY_SOCKET", socket.address()))
	}
	own := r.terminal.ownGroup() || r.Overlap // two of them are told apart by their groups
	r.terminal.starting()
	process, err := r.Reaper.start(launch{
		command: r.Command, env: childEnv(p.env).With(extra...),
		files: files, staged: len(files) > len(stdio()), ownGroup: own,
	})
	if err != nil {
		r.endCheck(c)
		return nil, err
	}
	c.process, c.group, c.since = process, group{pid: process.pid, own: own, shared: !own}, time.Now()
	r.Log.Debug("started", "pid", c.pid, "state", p.state.String())
	r.emit(Event{Kind: EventStarted, PID: c.pid, Digest: c.digest})
	return c, nil
}

func (r *supervision) startFailed(p plan, err error) {
	if p.state == trial {
		r.Log.Error("starting with the changed secrets: " + err.Error())
		r.rollBack(p.env.Digest())
		r.start(r.upNext)
		return
	}
	r.err = err
	r.finish()
}

// childEnv is env without what the service manager means for this process alone.
func childEnv(env Env) Env {
	return env.Without(func(name string) bool {
		switch name {
		case "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID":
			return true
		}
		return false
	})
}

// onChildren looks for what became of the child and of its group.
func (r *supervision) onChildren() {
	r.Reaper.collect()
	if r.child == nil {
		return
	}
	r.onOthers()
	if status, over := r.child.over(); over && !r.child.ended {
		r.onEnd(status)
	}
	if sig := r.child.takeStop(); sig != 0 && !r.child.ended && r.terminal.onStopped(r.child.pid, sig) {
		r.signal(r.child, continueSignal)
	}
	if r.state == sweeping {
		r.sweep()
	}
}

// onEnd decides what the end of the child leads to.
func (r *supervision) onEnd(status Status) {
	c := r.child
	r.terminal.ended(c.pid)
	r.cancel(alarmProbation, alarmQuiet, alarmSplay)
	r.status = status
	r.ended(c, status)
	failed := status.Code != 0
	switch {
	case r.state == overlapping:
		r.promote()
	case r.state == replacing && r.interrupted(status):
		r.stop, r.upNext = syscall.SIGINT, plan{state: done}
		r.beginSweep()
	case r.state == replacing && r.SignalScope != ScopeChild:
		r.state = sweeping // the stop signal went to the whole group already
	case r.state == replacing:
		r.beginSweep()
	case r.state == stopping:
		r.upNext = plan{state: done}
		r.beginSweep()
	case r.state == trial && failed && !r.asked(status):
		r.Log.Error("the child failed with the changed secrets: " + status.String())
		r.rollBack(c.digest)
		r.beginSweep()
	default:
		if r.state == rollback && failed {
			r.secretsWereNotTheCause()
		}
		r.onOwnEnd(status)
	}
}

// asked tells whether somebody wanted the end of the child: it died of a signal
// that was passed on to it, or was interrupted at the terminal.
func (r *supervision) asked(status Status) bool {
	return status.Signal != 0 && status.Signal == r.child.forwarded || r.interrupted(status)
}

// interrupted tells whether the child ended by the terminal's INT or QUIT. At a
// led terminal these do not come by here, but the status shows them.
func (r *supervision) interrupted(status Status) bool {
	if r.terminal == nil {
		return false
	}
	switch status.Code {
	case 128 + int(syscall.SIGINT), 128 + int(syscall.SIGQUIT):
		return true
	}
	return r.child.interrupted
}

// onOwnEnd deals with a child that ended without being stopped.
func (r *supervision) onOwnEnd(status Status) {
	again := r.Restart == RestartAlways || r.Restart == RestartOnFailure && status.Code != 0
	if again && !r.asked(status) {
		r.upNext = plan{state: waiting}
		r.beginSweep()
		return
	}
	r.upNext = plan{state: done}
	if r.KillLeftovers || os.Getpid() == 1 {
		r.beginSweep()
		return
	}
	r.finish()
}

// beginSweep asks what remains of the child's group to end.
func (r *supervision) beginSweep() {
	r.state, r.killed = sweeping, false
	if r.child.group.gone() {
		return
	}
	r.Log.Debug("ending what remains of the child's process group", "pid", r.child.pid)
	if err := r.child.group.signal(syscall.SIGTERM); err != nil {
		r.Log.Error("ending what remains of the child: " + err.Error())
	}
	r.at(alarmKill, r.StopTimeout)
}

// sweep goes on when nothing is left of the child's group.
func (r *supervision) sweep() {
	if !r.child.group.gone() && !(r.killed && r.child.group.onlyDead()) {
		r.at(alarmPoll, pollEvery)
		return
	}
	r.cancel(alarmKill, alarmPoll)
	switch {
	case r.stop != 0 || r.upNext.state == done:
		r.finish()
	case r.upNext.state == waiting:
		r.wait()
	case r.quarantined != "" && r.quarantined == r.newest.Digest():
		r.start(r.upNext) // the rollback
	default:
		r.start(r.planFor(r.newest)) // which may have changed again meanwhile
	}
}

// wait lets the backoff pass before the next child.
func (r *supervision) wait() {
	delay := backoff(r.failures, r.BackoffMin, r.BackoffMax)
	r.failures++
	r.state = waiting
	r.Log.Warn("starting again after "+r.status.String(), "in", delay)
	r.emit(Event{Kind: EventWaiting, Status: r.status})
	r.at(alarmBackoff, delay)
}

// backoff is the wait before the next restart: first, doubled with each failure
// before it, at most limit.
func backoff(failures int, first, limit time.Duration) time.Duration {
	delay := first
	for range failures {
		if delay >= limit {
			break
		}
		delay = min(2*delay, limit)
		if delay == 0 {
			break
		}
	}
	return delay
}

// finish ends the supervision.
func (r *supervision) finish() {
	if n := r.Reaper.Orphans(); n > 0 {
		r.Log.Debug("waited for orphans", "count", n)
	}
	if r.other != nil {
		r.state, r.upNext = sweeping, plan{state: done} // until that one has ended too
		return
	}
	if r.child == nil && r.err == nil {
		r.err = stoppedBy(r.stop)
	}
	r.status.Raise = r.terminal != nil && canDieOf(r.status.Signal)
	r.state = done
}
