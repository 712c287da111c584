package inject

import (
	"context"
	"syscall"
	"time"
)

// overlap starts a second child beside the first.
func (r *supervision) overlap(p plan) {
	c, err := r.launch(p)
	if err != nil {
		r.Log.Error("starting with the changed secrets: " + err.Error())
		r.putBack()
		r.isolate(p.env.Digest())
		return
	}
	r.next, r.state = c, overlapping
	r.cancel(alarmProbation)
	r.beginCheck(c)
}

// awaitReady waits until the child says that it is ready, or has run for long
// enough.
func (r *supervision) awaitReady(c *child) {
	if r.ReadyAfter > 0 {
		r.at(alarmReady, r.ReadyAfter)
		return
	}
	r.at(alarmReady, r.ReadyTimeout)
	socket := c.notify
	r.check(c, func(context.Context) bool { return socket.await(c.pid) })
}

// onReadyAlarm judges the child that is waited for.
func (r *supervision) onReadyAlarm() {
	c := r.child
	if r.next != nil {
		c = r.next
	}
	r.onVerdict(verdict{c, r.ReadyAfter > 0})
}

// takeOver makes the second child, which is ready, the one that serves. The
// first one gets the stop signal and drains beside it.
func (r *supervision) takeOver() {
	old := r.child
	r.child, r.next = r.next, nil
	r.state = r.child.plan
	r.dismiss(old)
	r.terminal.ended(old.pid)
	r.terminal.started(r.child.pid)
	r.at(alarmProbation, max(0, r.Probation-time.Since(r.child.since)))
	r.onHealthy(r.child)
}

// promote makes the second child the one that serves, since the first has ended
// by itself. Whether it gets ready is seen.
func (r *supervision) promote() {
	r.other = r.child
	if err := r.other.group.signal(syscall.SIGTERM); err != nil { // what remains of it
		r.Log.Error("ending what remains of the child: " + err.Error())
	}
	r.at(alarmDrain, r.StopTimeout)
	r.child, r.next = r.next, nil
	r.state = r.child.plan
	r.terminal.started(r.child.pid)
	r.at(alarmProbation, max(0, r.Probation-time.Since(r.child.since)))
}

// giveUp ends the second child; the first stays.
func (r *supervision) giveUp(why string) {
	c := r.next
	r.Log.Error("the child with the changed secrets "+why+": the one before stays", "pid", r.child.pid, "failed", c.pid)
	r.emit(Event{Kind: EventUnhealthy, PID: c.pid, Digest: c.digest})
	r.next, r.state = nil, running
	r.dismiss(c)
	r.putBack()
	r.isolate(c.digest)
	r.emit(Event{Kind: EventHealthy, PID: r.child.pid, Digest: r.child.digest})
	if !r.child.accepted {
		r.at(alarmProbation, max(0, r.Probation-time.Since(r.child.since)))
	}
}

// dismiss has a child end beside the one that serves.
func (r *supervision) dismiss(c *child) {
	r.cancel(alarmReady)
	r.endCheck(c)
	r.other = c
	r.signal(c, r.StopSignal)
	r.at(alarmDrain, r.StopTimeout)
}

// onOthers looks for what became of the child beside the one that serves.
func (r *supervision) onOthers() {
	if c := r.next; c != nil {
		if status, over := c.over(); over {
			r.ended(c, status)
			r.giveUp("ended with " + status.String())
		}
	}
	c := r.other
	if c == nil {
		return
	}
	status, over := c.over()
	if over && !c.ended {
		r.ended(c, status)
	}
	if over && c.group.gone() {
		r.other = nil
		r.cancel(alarmDrain)
		r.considerChange()
	} else if over {
		r.at(alarmPoll, pollEvery)
	}
}

func (r *supervision) ended(c *child, status Status) {
	c.ended = true
	r.endCheck(c)
	r.Log.Debug("the child ended: "+status.String(), "pid", c.pid)
	r.emit(Event{Kind: EventEnded, PID: c.pid, Digest: c.digest, Status: status})
}

// killOther ends the child that should have ended beside the one that serves.
func (r *supervision) killOther() {
	if r.other == nil {
		return
	}
	r.Log.Warn("the child's processes did not end in time and are killed", "pid", r.other.pid)
	if err := r.other.group.signal(syscall.SIGKILL); err != nil {
		r.Log.Error("killing the child: " + err.Error())
	}
	r.at(alarmPoll, pollEvery)
}
