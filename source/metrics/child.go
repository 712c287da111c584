package metrics

import (
	"slices"
	"time"
)

// A Reason is why a child was started in the place of another.
type Reason string

// The reasons.
const (
	ForChange   Reason = "change"   // the secrets changed
	ForRollback Reason = "rollback" // the changed secrets made it fail
	ForExit     Reason = "exit"     // the one before ended by itself
)

// A child is what is known of the processes that the supervisor runs. The first that
// was started serves; one that is started beside it serves when it is healthy, or when
// the first has ended.
type child struct {
	running []process // the first serves
	next    Reason    // of the next start; empty: the first

	restarts    map[Reason]int
	rollbacks   int
	quarantined bool
	refused     bool

	newest    string               // digest of the environment that the newest set makes; empty: none, so far
	confirmed map[string]time.Time // digest of an environment → when the server last confirmed its set
}

// A process is one that runs.
type process struct {
	pid     int
	env     string // digest of its environment
	since   time.Time
	reason  Reason // to be counted when it serves; empty: it was, or need not be
	healthy bool
	leaving bool // it was asked to end
}

// Built notes that the newest set makes the environment with this digest, and when
// the server last confirmed that set: the zero time when it comes from elsewhere.
func (m *Metrics) Built(env string, synced time.Time) {
	m.note(func() {
		m.child.newest, m.child.refused = env, false
		m.child.confirm(synced)
	})
}

// Refused notes that no environment can be made of the newest set.
func (m *Metrics) Refused() {
	m.note(func() { m.child.newest, m.child.refused = "", true })
}

// Started notes a child and the digest of its environment.
func (m *Metrics) Started(pid int, env string) {
	m.note(func() {
		m.child.running = append(m.child.running, process{pid: pid, env: env, since: time.Now(), reason: m.child.next})
		m.child.next = ForChange
		m.child.serve()
	})
}

// Healthy notes that a child works, and that it is the one that serves.
func (m *Metrics) Healthy(pid int) {
	m.note(func() {
		c := &m.child
		at := c.find(pid)
		if at < 0 {
			return
		}
		c.running[at].healthy = true
		c.running[0], c.running[at] = c.running[at], c.running[0]
		c.serve()
	})
}

// Unhealthy notes that a child was not healthy in time.
func (m *Metrics) Unhealthy(pid int) {
	m.note(func() {
		if at := m.child.find(pid); at >= 0 {
			m.child.running[at].healthy = false
		}
	})
}

// Given notes that a running child was given another environment, by its digest.
func (m *Metrics) Given(pid int, env string) {
	m.note(func() {
		if at := m.child.find(pid); at >= 0 {
			m.child.running[at].env = env
		}
	})
}

// Ended notes that a child has ended.
func (m *Metrics) Ended(pid int) {
	m.note(func() {
		c := &m.child
		if at := c.find(pid); at >= 0 {
			c.running = slices.Delete(c.running, at, at+1)
			c.serve()
		}
	})
}

// Replacing notes that the child is to be replaced because the secrets changed.
func (m *Metrics) Replacing() {
	m.note(func() {
		m.child.next = ForChange
		if len(m.child.running) > 0 && !m.opt.Overlap {
			m.child.running[0].leaving = true
		}
	})
}

// RolledBack notes that the previous secrets come back.
func (m *Metrics) RolledBack() {
	m.note(func() {
		m.child.next = ForRollback
		m.child.rollbacks++
	})
}

// Waiting notes that the child ended by itself and another follows after a while.
func (m *Metrics) Waiting() {
	m.note(func() { m.child.next = ForExit })
}

// Quarantined notes whether the newest set is not to be tried.
func (m *Metrics) Quarantined(yes bool) {
	m.note(func() { m.child.quarantined = yes })
}

// Stopping notes that infisync was asked to end.
func (m *Metrics) Stopping() {
	m.note(func() { m.stopping = true })
}

func (c *child) find(pid int) int {
	return slices.IndexFunc(c.running, func(p process) bool { return p.pid == pid })
}

// serve counts the process that serves now, once, unless it is the first of all.
func (c *child) serve() {
	if len(c.running) == 0 {
		return
	}
	serving := &c.running[0]
	if serving.reason != "" {
		c.restarts[serving.reason]++
	}
	serving.reason = ""
}

// confirm notes when the newest set was confirmed. Of the others are kept those of the
// last few, which a rollback can bring back.
func (c *child) confirm(synced time.Time) {
	if c.newest != "" && !synced.IsZero() {
		c.confirmed[c.newest] = synced
		for len(c.confirmed) > maxConfirmed {
			delete(c.confirmed, c.oldest())
		}
	}
}

const maxConfirmed = 8 // environments whose times are kept

// oldest is the environment that was confirmed longest ago, besides those in use.
func (c *child) oldest() (digest string) {
	for env, at := range c.confirmed {
		inUse := env == c.newest || slices.ContainsFunc(c.running, func(p process) bool { return p.env == env })
		if !inUse && (digest == "" || at.Before(c.confirmed[digest])) {
			digest = env
		}
	}
	return digest
}
