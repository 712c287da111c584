package inject

import (
	"context"
	"time"
)

// Health tells whether a child that runs also works. At most one of Command,
// HTTP and TCP is set; with none, a child is healthy once it runs.
type Health struct {
	Command Command       // works when it exits with status 0; it has the child's environment
	HTTP    string        // URL that works when GET answers 200 to 399
	TCP     string        // HOST:PORT that works when it takes a connection
	Timeout time.Duration // until a child that does not work is unhealthy; 0: at once [30s]
}

// A verdict is what a child's health check came to.
type verdict struct {
	child   *child
	healthy bool
}

func (h Health) configured() bool { return len(h.Command.Argv) > 0 || h.HTTP != "" || h.TCP != "" }

// checkEvery is the pause between two checks of a child that does not work yet.
const checkEvery = 250 * time.Millisecond

// beginCheck asks, until the answer is yes or time is up, whether the child
// works. endCheck ends it early.
func (r *supervision) beginCheck(c *child) {
	switch {
	case r.Overlap:
		r.awaitReady(c)
	case r.Health.configured():
		r.check(c, func(ctx context.Context) bool {
			ctx, cancel := context.WithTimeout(ctx, r.Health.Timeout)
			defer cancel()
			return r.Health.await(ctx, r.Reaper, c.env)
		})
	default:
		r.onHealthy(c)
	}
}

// check has the loop told what judge says, unless endCheck comes first.
func (r *supervision) check(c *child, judge func(context.Context) bool) {
	ctx, stop := context.WithCancel(context.Background())
	c.stopCheck = stop
	go func() {
		defer stop()
		v := verdict{c, judge(ctx)}
		select {
		case r.results <- v:
		case <-ctx.Done():
		}
	}()
}

func (r *supervision) endCheck(c *child) {
	if c.stopCheck != nil {
		c.stopCheck()
	}
	if c.notify != nil {
		c.notify.close()
		c.notify = nil
	}
}

func (r *supervision) onVerdict(v verdict) {
	switch c := v.child; {
	case c.ended || c != r.child && c != r.next:
	case v.healthy && c == r.next:
		r.takeOver()
	case c == r.next:
		r.giveUp("is not ready in time")
	case v.healthy:
		r.onHealthy(c)
	default:
		r.Log.Error("the child is not healthy in time", "pid", c.pid)
		r.emit(Event{Kind: EventUnhealthy, PID: c.pid, Digest: c.digest})
		r.fail(c)
	}
}

func (r *supervision) onHealthy(c *child) {
	c.healthy = true
	r.emit(Event{Kind: EventHealthy, PID: c.pid, Digest: c.digest})
	r.consider()
}

// await checks until the answer is yes, which it returns, or ctx ends.
func (h Health) await(ctx context.Context, reaper *Reaper, env Env) bool {
	for {
		if h.check(ctx, reaper, env) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(checkEvery):
		}
	}
}
