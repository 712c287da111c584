package inject

import "syscall"

// onSignal deals with a signal that this process got.
func (r *supervision) onSignal(sig syscall.Signal) {
	if to, ok := r.Rewrite[sig]; ok {
		sig = to
	}
	if sig != 0 {
		r.deliver(sig)
	}
}

// deliver passes a signal on, and takes it for what it asks.
func (r *supervision) deliver(sig syscall.Signal) {
	if r.terminal.sends(sig) {
		r.onTerminalSignal(sig)
		return
	}
	if sig == continueSignal && r.child != nil && !r.child.ended {
		r.terminal.onContinued(r.child.pid)
	}
	if r.asksToStop(sig) {
		r.onStop(sig)
	}
	switch {
	case r.child == nil:
		r.held = append(r.held, sig) // for the first one
	case r.child.ended && r.state != sweeping:
		// Between two children there is nobody to tell. The next one begins afresh
		// anyway, and would die of most signals before it can catch them.
		r.Log.Debug("no child to pass " + signalName(sig) + " on to")
	default:
		r.forward(sig)
	}
}

// onTerminalSignal deals with a signal that the terminal has sent to the child
// as well.
func (r *supervision) onTerminalSignal(sig syscall.Signal) {
	switch {
	case suspends(sig):
		suspendSelf()
	case sig != syscall.SIGINT && sig != syscall.SIGQUIT:
	case r.state.settled():
		r.child.interrupted = true // whether it ends of it is its own business
	default:
		r.onStop(sig)
	}
}

// asksToStop tells the signals after which nothing is started any more. HUP is
// not one of them: to many programs it means that they should read their
// configuration again.
func (r *supervision) asksToStop(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, r.StopSignal:
		return true
	}
	return false
}

// onStop makes a stop that was asked from outside win over everything else.
func (r *supervision) onStop(sig syscall.Signal) {
	if r.stop != 0 {
		return
	}
	r.stop = sig
	r.cancel(alarmQuiet, alarmSplay, alarmProbation, alarmQuarantine, alarmBackoff, alarmReady)
	switch r.state {
	case starting, done:
		return // start looks at r.stop itself
	case waiting:
		r.status = signalStatus(sig)
		r.state = done
		return
	case sweeping:
		return // what is left has its time already
	}
	r.Log.Debug("stopping after "+signalName(sig), "pid", r.child.pid)
	r.emit(Event{Kind: EventStopping, PID: r.child.pid})
	r.endCheck(r.child)
	if r.next != nil {
		r.endCheck(r.next)
		r.other, r.next = r.next, nil
	}
	r.state, r.killed = stopping, false
	r.cancel(alarmKill) // of a replacement that had begun: the child may take its time now
	if r.KillAfter > 0 {
		r.at(alarmKill, r.KillAfter)
	}
}

// forward passes a signal on to the child.
func (r *supervision) forward(sig syscall.Signal) {
	for _, c := range []*child{r.child, r.next, r.other} {
		if c != nil {
			c.forwarded = sig
			r.signal(c, sig)
		}
	}
}

// signal sends a signal to those who are meant by the scope.
func (r *supervision) signal(c *child, sig syscall.Signal) {
	to := c.group
	if r.SignalScope == ScopeChild && !c.ended {
		to.own, to.shared = false, false
	}
	if err := to.signal(sig); err != nil {
		r.Log.Warn("sending "+signalName(sig)+" to the child: "+err.Error(), "pid", c.pid)
	}
}
