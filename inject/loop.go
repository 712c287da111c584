package inject

import (
	"context"
	"syscall"
	"time"
)

// An alarm is a point in time at which a supervision has something to do.
type alarm int

const (
	alarmQuiet      alarm = iota // no change for the debounce
	alarmSplay                   // the random wait after it is over
	alarmKill                    // the stop took too long
	alarmPoll                    // look whether the group is gone
	alarmProbation               // the child has outlived it
	alarmQuarantine              // the environment may be tried again
	alarmBackoff                 // start again
	alarmReady                   // the child that is waited for should be ready
	alarmDrain                   // the other child took too long to end
	alarmWatchdog                // the service manager wants to hear of this process
	alarmCount
)

// pollEvery is how often a group is looked at whose members' ends are not
// reported to this process, since their parent is another that still runs.
const pollEvery = 100 * time.Millisecond

// A supervision is one Run: its state, owned by one goroutine.
type supervision struct {
	Supervisor
	state   state
	updates <-chan Env
	results chan verdict // of health checks

	shelf     shelf
	terminal  *terminal
	listeners []*listener

	child  *child // the one that serves; nil before the first
	next   *child // started beside it, and not ready yet; nil outside overlapping
	other  *child // being ended beside it, after one of the two was given up; nil: none
	newest Env    // what was last asked for
	upNext plan   // what starting begins with, set in replacing and sweeping

	good        *Env   // what a child outlived its probation with; nil: not known
	quarantined string // digest that is not tried; "": none
	failures    int    // restarts by the policy since a child was accepted

	stop   syscall.Signal // asked from outside; 0: none
	held   []syscall.Signal
	status Status // of the last child
	err    error  // why there is no status
	killed bool   // alarmKill has come for the present group
	alarms [alarmCount]time.Time
}

// A plan is what follows when the present child's group is gone.
type plan struct {
	state state // running, trial or rollback: start; waiting; done
	env   Env
}

// A child is one started process and what is known of it.
type child struct {
	*process
	group  group
	env    Env
	digest string
	since  time.Time
	plan   state // the state it is in when it serves

	ended       bool           // its end was dealt with
	healthy     bool           // or there is no health check
	accepted    bool           // healthy, and its probation is over
	forwarded   syscall.Signal // the last signal that was passed on to it
	interrupted bool           // the terminal sent it INT or QUIT

	stopCheck context.CancelFunc // nil: nothing is checked
	notify    *notifySocket      // where it says that it is ready; nil: it is not asked
}

func (r *supervision) run(ctx context.Context, first Env) (Status, error) {
	r.newest = first
	r.terminal = openTerminal()
	defer r.terminal.close()
	if r.WatchdogEvery > 0 {
		r.at(alarmWatchdog, 0)
	}
	r.start(plan{running, first})
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopAsked := ctx.Done()
	for r.state != done {
		timer.Reset(r.untilNext())
		select {
		case <-r.Signals.wake:
			for _, sig := range r.Signals.take() {
				r.onSignal(sig)
			}
		case <-r.Reaper.changed:
			r.onChildren()
		case env, open := <-r.updates:
			if !open {
				r.updates = nil
				break
			}
			r.onUpdate(env)
		case v := <-r.results:
			r.onVerdict(v)
		case <-stopAsked:
			stopAsked = nil
			r.deliver(r.StopSignal)
		case <-timer.C:
			r.onAlarms()
		}
	}
	return r.status, r.err
}

// at sets the alarm to go off after d; once more if it was set already.
func (r *supervision) at(a alarm, d time.Duration) { r.alarms[a] = time.Now().Add(d) }

func (r *supervision) cancel(alarms ...alarm) {
	for _, a := range alarms {
		r.alarms[a] = time.Time{}
	}
}

// untilNext is the time until the first alarm.
func (r *supervision) untilNext() time.Duration {
	const never = time.Hour // nothing comes of it but another look
	next := never
	for _, t := range r.alarms {
		if !t.IsZero() {
			next = min(next, max(0, time.Until(t)))
		}
	}
	return next
}

func (r *supervision) onAlarms() {
	now := time.Now()
	for a, t := range r.alarms {
		if t.IsZero() || t.After(now) || r.alarms[a] != t {
			continue // the last: an alarm before it has set or cancelled this one
		}
		r.cancel(alarm(a))
		switch alarm(a) {
		case alarmQuiet:
			r.onQuiet()
		case alarmSplay:
			r.act()
		case alarmKill:
			r.kill()
		case alarmPoll:
			r.onChildren()
		case alarmProbation:
			r.consider()
		case alarmQuarantine:
			r.release()
			r.considerChange()
		case alarmBackoff:
			r.start(plan{running, r.usable()})
		case alarmReady:
			r.onReadyAlarm()
		case alarmDrain:
			r.killOther()
		case alarmWatchdog:
			r.tellManager("WATCHDOG=1")
			r.at(alarmWatchdog, r.WatchdogEvery)
		}
	}
}

func (r *supervision) emit(e Event) {
	r.tell(e)
	if r.OnEvent != nil {
		r.OnEvent(e)
	}
}
