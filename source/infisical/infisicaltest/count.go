package infisicaltest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
)

// A Kind is what a request was for.
type Kind string

// The kinds of requests. A fault can also be given for KindWrite and KindAny.
const (
	KindLogin    Kind = "login"
	KindToken    Kind = "token" // renewal and revocation
	KindList     Kind = "list"  // a listing of secrets, whatever its answer
	KindGet      Kind = "get"
	KindCreate   Kind = "create"
	KindUpdate   Kind = "update"
	KindDelete   Kind = "delete"
	KindBatch    Kind = "batch"
	KindFolders  Kind = "folders"
	KindImports  Kind = "imports"
	KindProjects Kind = "projects"
	KindStatus   Kind = "status"
	KindEvents   Kind = "events"
	KindUnknown  Kind = "unknown"

	KindList304 Kind = "list-304" // counts only: the listings answered 304; they count as KindList, too
	KindWrite   Kind = "write"    // faults only: create, update, delete, batch
	KindAny     Kind = "any"      // all of them
)

// includes tells whether a fault for k meets a request of that kind.
func (k Kind) includes(kind Kind) bool {
	switch k {
	case KindAny, "":
		return true
	case KindWrite:
		return kind == KindCreate || kind == KindUpdate || kind == KindDelete || kind == KindBatch
	}
	return k == kind
}

// counted tells whether requests can be of the kind.
func (k Kind) counted() bool {
	switch k {
	case KindLogin, KindToken, KindList, KindGet, KindCreate, KindUpdate, KindDelete, KindBatch,
		KindFolders, KindImports, KindProjects, KindStatus, KindEvents, KindUnknown:
		return true
	}
	return false
}

// A Request is what the server remembers of one that it answered.
type Request struct {
	Kind   Kind
	Method string
	Path   string // escaped as it was sent
	Query  string
	Header http.Header
	Status int // of the answer; 0: the connection was cut instead
}

// maxRequests is how many the log keeps.
const maxRequests = 1 << 12

// A requestLog counts requests and wakes those who wait for one.
type requestLog struct {
	out io.Writer

	mu       sync.Mutex
	arrived  map[Kind]int
	answered map[Kind]int
	opened   int           // connections
	requests []Request     // the newest, oldest first
	changed  chan struct{} // closed and replaced at each change
}

func (l *requestLog) init(out io.Writer) {
	l.out, l.arrived, l.answered, l.changed = out, make(map[Kind]int), make(map[Kind]int), make(chan struct{})
}

func (l *requestLog) arrive(kind Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrived[kind]++
	l.arrived[KindAny]++
	l.wakeLocked()
}

func (l *requestLog) answer(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered[r.Kind]++
	l.answered[KindAny]++
	if r.Kind == KindList && r.Status == http.StatusNotModified {
		l.answered[KindList304]++
	}
	if len(l.requests) == maxRequests {
		l.requests = slices.Delete(l.requests, 0, maxRequests/4)
	}
	l.requests = append(l.requests, r)
	if l.out != nil {
		fmt.Fprintf(l.out, "%d %s %s\n", r.Status, r.Method, r.Path)
	}
	l.wakeLocked()
}

// connection hears what becomes of the server's connections.
func (l *requestLog) connection(_ net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
}

func (l *requestLog) wakeLocked() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait blocks until count reaches n, which counts to.
func (l *requestLog) wait(ctx context.Context, what string, counts *map[Kind]int, kind Kind, n int) error {
	for {
		l.mu.Lock()
		got, changed := (*counts)[kind], l.changed
		l.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d %s requests: %d %s: %w", n, kind, got, what, context.Cause(ctx))
		}
	}
}

// Counts is how many requests of each kind were answered since the start or the
// last ResetCounts. A request counts before its answer is sent whole, so that who
// has the answer finds it counted. Kinds with none are absent; KindAny is their sum. The caller
// owns the map.
func (s *Server) Counts() map[Kind]int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return maps.Clone(s.log.answered)
}

// Count is how many requests of one kind were answered.
func (s *Server) Count(kind Kind) int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.answered[kind]
}

// Connections is how many connections were opened since the start or the last
// ResetCounts.
func (s *Server) Connections() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.opened
}

// ResetCounts sets all counts to 0 and forgets the requests.
func (s *Server) ResetCounts() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	clear(s.log.arrived)
	clear(s.log.answered)
	s.log.opened = 0
	s.log.requests = nil
	s.log.wakeLocked()
}

// Requests returns the newest answered requests, oldest first: at most 4,096.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.requests)
}

// Wait blocks until n requests of a kind were answered since the start or the
// last ResetCounts, or until ctx ends, which is its only error.
func (s *Server) Wait(ctx context.Context, kind Kind, n int) error {
	return s.log.wait(ctx, "answered", &s.log.answered, kind, n)
}

// WaitArrived is Wait for requests that have come in, answered or not, as those
// that a fault holds up.
func (s *Server) WaitArrived(ctx context.Context, kind Kind, n int) error {
	return s.log.wait(ctx, "arrived", &s.log.arrived, kind, n)
}
