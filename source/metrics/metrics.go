// Package metrics is how infisync is watched from outside: over HTTP it tells
// whether it works (/healthz), whether what it keeps is to be used (/readyz), and
// counts and times in the text format of Prometheus (/metrics).
//
// A [Metrics] is told what happens, as it happens, by the syncer and by whoever hears
// the supervisor's events. It is shown counts, times, digests, codes and the folders of
// scopes; no name of a secret and no value ever comes here.
package metrics

import (
	"net/http"
	"sync"
	"time"

	"infisync/source"
)

// Metrics is what is known of this process, and who serves it. Every method may be
// called on a nil *Metrics, which keeps and serves nothing, and all are safe for
// concurrent use.
type Metrics struct {
	opt    Options
	server *http.Server

	mu       sync.Mutex
	polls    map[Result]int
	errors   map[source.Code]int
	scopes   map[string]Held // by the folder in the state directory
	expected int             // how many scopes there are to be
	child    child
	stopping bool
}

// A Result is what a poll of the server came to.
type Result string

// The results of polls.
const (
	Changed   Result = "changed"   // there is another set than before
	Unchanged Result = "unchanged" // also when names are missing that the next poll must miss too
	Failed    Result = "failed"
)

// An Origin is who gave a set.
type Origin string

// The origins of sets.
const (
	Server Origin = "server"
	Vault  Origin = "vault"
	Dotenv Origin = "dotenv"
)

// Held is the set that a scope has.
type Held struct {
	Origin  Origin
	Secrets int
	Synced  time.Time // when the server last confirmed it; zero: it does not come from there
}

// Polled counts a poll that the server answered.
func (m *Metrics) Polled(r Result) {
	m.note(func() { m.polls[r]++ })
}

// PollFailed counts a poll that failed, and why.
func (m *Metrics) PollFailed(code source.Code) {
	m.note(func() {
		m.polls[Failed]++
		m.errors[code]++
	})
}

// Erred counts another failure than a poll's.
func (m *Metrics) Erred(code source.Code) {
	m.note(func() { m.errors[code]++ })
}

// Expect notes how many scopes are kept, for readiness without a child.
func (m *Metrics) Expect(scopes int) {
	m.note(func() { m.expected = scopes })
}

// Hold notes that a scope has another set than before. Folder is the scope's in the
// state directory, empty when the set belongs to none.
func (m *Metrics) Hold(folder string, held Held) {
	m.note(func() { m.scopes[folder] = held })
}

// Confirm is Hold for the same set as before: who runs with it runs with what was
// right at that time.
func (m *Metrics) Confirm(folder string, held Held) {
	m.note(func() {
		m.scopes[folder] = held
		m.child.confirm(held.Synced)
	})
}

func (m *Metrics) note(change func()) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}
