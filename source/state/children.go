package state

import (
	"slices"
	"time"
)

// A child is one process that a registered one runs.
type child struct {
	pid   int
	env   string // digest of its environment
	since time.Time
}

// Children keeps a registered process's Entry right while its children come and
// go. The first that was started serves; one that is started beside it serves when
// it is said to, or when the first has ended. Every method is safe for concurrent
// use, does nothing on a nil *Children, and ignores that the register cannot be
// written.
type Children struct {
	registration *Registration
	sets         map[string]string // digest of an environment → of the newest set that makes it
	running      []child           // the first serves
	served       int               // how many have
}

// Children returns the Children of a registered process. It is called once.
func (r *Registration) Children() *Children {
	if r == nil {
		return nil
	}
	return &Children{registration: r, sets: make(map[string]string)}
}

// Built notes that an environment, by its digest, was made of the newest set, which has
// that digest. When a child has that environment already, it has the set.
func (c *Children) Built(env, set string) {
	c.note(func(entry *Entry) { c.sets[env], entry.Refused = set, false })
}

// Refused notes that no environment can be made of the newest set.
func (c *Children) Refused() {
	c.note(func(entry *Entry) { entry.Refused = true })
}

// Started notes a child and the digest of its environment.
func (c *Children) Started(pid int, env string) {
	c.note(func(*Entry) { c.running = append(c.running, child{pid, env, time.Now()}) })
}

// Serves notes that it is this child that serves.
func (c *Children) Serves(pid int) {
	c.note(func(*Entry) {
		if at := c.find(pid); at > 0 {
			c.running[0], c.running[at] = c.running[at], c.running[0]
		}
	})
}

// Given notes that a running child was given another environment, by its digest.
func (c *Children) Given(pid int, env string) {
	c.note(func(*Entry) {
		if at := c.find(pid); at >= 0 {
			c.running[at].env = env
		}
	})
}

// Ended notes that a child has ended.
func (c *Children) Ended(pid int) {
	c.note(func(*Entry) {
		if at := c.find(pid); at >= 0 {
			c.running = slices.Delete(c.running, at, at+1)
		}
	})
}

// Quarantined notes whether the newest set is not to be tried.
func (c *Children) Quarantined(yes bool) {
	c.note(func(entry *Entry) { entry.Quarantined = yes })
}

func (c *Children) find(pid int) int {
	return slices.IndexFunc(c.running, func(one child) bool { return one.pid == pid })
}

// note makes a change, and the entry what follows from it.
func (c *Children) note(change func(*Entry)) {
	if c == nil {
		return
	}
	c.registration.Note(func(entry *Entry) {
		before := entry.Child
		change(entry)
		entry.Child = 0
		if len(c.running) == 0 {
			return
		}
		first := c.running[0]
		if c.served == 0 || first.pid != before {
			c.served++
		}
		entry.Child, entry.Since, entry.Digest, entry.Restarts = first.pid, first.since, c.sets[first.env], c.served-1
	})
}
