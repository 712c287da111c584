package vault

import (
	"maps"
	"slices"
	"time"

	"infisync/source"
)

// keepDeleted is how long what was deleted can be restored.
const keepDeleted = 30 * 24 * time.Hour

// Contents are what a vault holds for one scope. Times are UTC. The zero value
// holds nothing; nil maps are empty. Contents are not safe for concurrent use.
type Contents struct {
	Scope    source.Scope
	Pulled   time.Time            // last successful pull, an answer "not modified" included; zero: never
	Set      source.Set           // as it was pulled last
	Synced   map[string]time.Time // name in Set → when a pull brought its present value
	Previous map[string]Previous  // name → the value it had before
	Orphans  map[string]Orphan    // name → what a pull brought once and the server lists no more
	Local    map[string]Local     // name → what was set here and not pulled
	Deleted  []Deleted            // in the order of deletion; dropped after 30 days
}

// Previous is a value that another one replaced.
type Previous struct {
	Value    source.Value
	Replaced time.Time
}

// An Orphan is a secret that came from the server and vanished there.
type Orphan struct {
	Secret source.Secret
	Since  time.Time // when a pull first missed it
}

// A Local value was set in the vault itself.
type Local struct {
	Value  source.Value
	Origin string // how it came here, for people: "set", a file's path, "restored"
	Set    time.Time
}

// Deleted is what was taken out of the vault and can be restored.
type Deleted struct {
	Name   string
	Value  source.Value
	Origin string // as in Local, or the place it was pulled from
	At     time.Time
}

// is tells whether both are the same deletion.
func (d Deleted) is(e Deleted) bool {
	return d.Name == e.Name && d.At.Equal(e.At) && d.Value.Equal(e.Value)
}

// Changes are what one pull did to the pulled secrets. Names are sorted.
type Changes struct {
	New       []string
	Changed   []string // other value than before
	Gone      []string // now orphans
	Unchanged int
}

// Get returns the value kept under name: the local one, else the pulled one,
// else the orphan's. A deleted one is not kept.
func (c *Contents) Get(name string) (source.Value, bool) {
	if local, ok := c.Local[name]; ok {
		return local.Value, true
	}
	if secret, ok := c.Set.Get(name); ok {
		return secret.Value, true
	}
	orphan, ok := c.Orphans[name]
	return orphan.Secret.Value, ok
}

// ApplyPull makes set the pulled set and now the time of the last pull. What a
// new value replaces becomes the previous one, also when it was local: a local
// value outlasts pulls that leave the pulled one as it was, and ends when the
// server has another or the same. Secrets that set lacks become orphans; an
// orphan that set holds again is one no more.
func (c *Contents) ApplyPull(set source.Set, now time.Time) Changes {
	now = now.UTC()
	var changes Changes
	synced := make(map[string]time.Time, set.Len())
	for secret := range set.All() {
		old, had := c.Set.Get(secret.Name)
		before, kept := c.Get(secret.Name)
		same := had && old.Value.Equal(secret.Value)
		switch {
		case same:
			changes.Unchanged++
			synced[secret.Name] = c.Synced[secret.Name]
		case had:
			changes.Changed = append(changes.Changed, secret.Name)
			synced[secret.Name] = now
		default:
			changes.New = append(changes.New, secret.Name)
			synced[secret.Name] = now
		}
		if kept && !same && !before.Equal(secret.Value) {
			put(&c.Previous, secret.Name, Previous{before, now})
		}
		if !same || before.Equal(secret.Value) {
			delete(c.Local, secret.Name)
		}
		delete(c.Orphans, secret.Name)
	}
	for _, name := range c.Set.Lost(set) {
		secret, _ := c.Set.Get(name)
		put(&c.Orphans, name, Orphan{secret, now})
		changes.Gone = append(changes.Gone, name)
	}
	c.Set, c.Synced, c.Pulled = set, synced, now
	return changes
}

// SetLocal keeps value under name until a pull brings another value or the same.
func (c *Contents) SetLocal(name string, value source.Value, origin string, now time.Time) {
	now = now.UTC()
	if before, ok := c.Get(name); ok && !before.Equal(value) {
		put(&c.Previous, name, Previous{before, now})
	}
	put(&c.Local, name, Local{value, origin, now})
}

// Delete takes all that is kept under name out of the vault and tells whether
// there was anything. A name that the server still lists comes back with the
// next pull.
func (c *Contents) Delete(name string, now time.Time) bool {
	before := len(c.Deleted)
	// The pulled value last, so that it is the first to be restored.
	c.deleteLocal(name, now)
	c.deleteOrphan(name, now)
	if secret, ok := c.Set.Get(name); ok {
		c.discard(name, secret.Value, secret.Place.String(), now)
		c.Set = without(c.Set, name)
		delete(c.Synced, name)
	}
	return len(c.Deleted) > before
}

// DeleteOrphans deletes every orphan and, when all is true, every local value
// whose name the server does not list. It returns the names, sorted.
func (c *Contents) DeleteOrphans(all bool, now time.Time) []string {
	names := make(map[string]bool)
	for name := range c.Orphans {
		names[name] = true
	}
	for name := range c.Local {
		if _, listed := c.Set.Get(name); all && !listed {
			names[name] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(names))
	for _, name := range sorted {
		if all {
			c.deleteLocal(name, now)
		}
		c.deleteOrphan(name, now)
	}
	return sorted
}

// Restore makes the value of that name which was deleted last a local one, and
// tells whether there was one. Restoring again brings the one deleted before it.
func (c *Contents) Restore(name string, now time.Time) bool {
	for i, deleted := range slices.Backward(c.Deleted) {
		if deleted.Name == name {
			c.Deleted = slices.Delete(c.Deleted, i, i+1)
			c.SetLocal(name, deleted.Value, "restored", now)
			return true
		}
	}
	return false
}

func (c *Contents) deleteLocal(name string, now time.Time) {
	if local, ok := c.Local[name]; ok {
		c.discard(name, local.Value, local.Origin, now)
		delete(c.Local, name)
	}
}

func (c *Contents) deleteOrphan(name string, now time.Time) {
	if orphan, ok := c.Orphans[name]; ok {
		c.discard(name, orphan.Secret.Value, orphan.Secret.Place.String(), now)
		delete(c.Orphans, name)
	}
}

func (c *Contents) discard(name string, value source.Value, origin string, now time.Time) {
	c.Deleted = append(c.Deleted, Deleted{name, value, origin, now.UTC()})
}

// expire drops what was deleted longer ago than it is kept, and the previous
// values of names that are neither kept nor to be restored.
func (c *Contents) expire(now time.Time) {
	c.Deleted = slices.DeleteFunc(c.Deleted, func(d Deleted) bool { return now.Sub(d.At) > keepDeleted })
	maps.DeleteFunc(c.Previous, func(name string, _ Previous) bool {
		_, kept := c.Get(name)
		return !kept && !slices.ContainsFunc(c.Deleted, func(d Deleted) bool { return d.Name == name })
	})
}

func without(set source.Set, name string) source.Set {
	secrets := slices.Collect(set.All())
	return source.NewSet(slices.DeleteFunc(secrets, func(s source.Secret) bool { return s.Name == name })...)
}

// put sets an entry of a map that may still be nil.
func put[V any](m *map[string]V, name string, v V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[name] = v
}
