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
	if !r.Health.configured() {
		r.onHealthy(c)
		return
	}
	checking, stop := context.WithCancel(context.Background())
	c.stopCheck = stop
	go func() {
		defer stop()
		ctx, cancel := context.WithTimeout(checking, r.Health.Timeout)
		defer cancel()
		healthy := r.Health.await(ctx, r.Reaper, c.env)
		select {
		case r.results <- verdict{c, healthy}:
		case <-checking.Done():
		}
	}()
}

func (r *supervision) endCheck(c *child) {
	if c.stopCheck != nil {
		c.stopCheck()
	}
}

func (r *supervision) onVerdict(v verdict) {
	switch c := v.child; {
	case c != r.child || c.ended:
	case v.healthy:
		r.onHealthy(c)
	default:
		r.Log.Error("the child is not healthy", "pid", c.pid, "after", r.Health.Timeout)
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
