package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"infisync/source"
)

// Limits for whoever asks: an answer is a few kilobytes, and the descriptors are the
// supervisor's.
const (
	requestTimeout  = 5 * time.Second  // for the request to be there
	answerTimeout   = 10 * time.Second // for the answer to be taken
	idleTimeout     = 5 * time.Second  // for the next request: nobody asks often
	maxHeader       = 8 << 10          // bytes
	mostConnections = 128              // more of them wait in the kernel
)

// Options are what Open is told.
type Options struct {
	Address string // HOST:PORT; port 0 is one that is free, which is logged; empty: nothing is served
	Setting string // how the user named the address, for errors
	Version string
	Child   bool          // a child is run: readiness is the child's
	Overlap bool          // a new child is started while the old one serves
	MaxAge  time.Duration // without a child: the oldest sync that is good enough
	Log     *slog.Logger
}

// Open begins to serve, and returns whom to tell what happens: nil without an address.
// An address that cannot be listened on is an error with source.CodeHTTPListen. The
// socket is not inherited by children.
func Open(opt Options) (*Metrics, error) {
	if opt.Address == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", opt.Address)
	if err != nil {
		return nil, source.Errorf(source.CodeHTTPListen, "%s: listening on %q: %w", opt.Setting, opt.Address, reason(err))
	}
	level := slog.LevelDebug
	if _, port, _ := net.SplitHostPort(opt.Address); port == "0" {
		level = slog.LevelInfo // nobody could know it else
	}
	opt.Log.Log(context.Background(), level, fmt.Sprintf("serving http://%s/metrics, /healthz and /readyz", listener.Addr()))
	m := newMetrics(opt)
	m.server = &http.Server{
		Handler: m.handler(), DisableGeneralOptionsHandler: true,
		ReadTimeout: requestTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(opt.Log.Handler(), slog.LevelDebug),
	}
	go m.server.Serve(&limited{Listener: listener, slots: make(chan struct{}, mostConnections)})
	return m, nil
}

func newMetrics(opt Options) *Metrics {
	return &Metrics{
		opt: opt, polls: make(map[Result]int), errors: make(map[source.Code]int), scopes: make(map[string]Held),
		child: child{restarts: make(map[Reason]int), confirmed: make(map[string]time.Time)},
	}
}

// Close ends the serving at once: an answer that is under way is cut. It may be called
// twice.
func (m *Metrics) Close() {
	if m != nil {
		m.server.Close()
	}
}

func (m *Metrics) handler() http.Handler {
	mux := http.NewServeMux() // GET is HEAD, too; other methods are answered with 405
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := m.notReady(time.Now()); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		m.Write(w) // it fails when nobody reads it any more
	})
	return mux
}

// notReady says why this infisync is not ready at the time now, without any name;
// empty: it is.
func (m *Metrics) notReady(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.stopping:
		return "stopping"
	case m.opt.Child:
		return m.child.notReady()
	case m.expected == 0 || len(m.scopes) < m.expected:
		return "not everything was synced yet"
	}
	for _, held := range m.scopes {
		age := now.Sub(held.Synced).Round(time.Second)
		switch {
		case age < 0:
			return "the last sync lies in the future: was the clock set back?"
		case age > m.opt.MaxAge:
			return fmt.Sprintf("the last sync was %s ago, longer than %s", age, m.opt.MaxAge)
		}
	}
	return ""
}

func (c *child) notReady() string {
	switch {
	case len(c.running) == 0 && c.next == "":
		return "the child is not started yet"
	case len(c.running) == 0:
		return "no child runs"
	case c.running[0].leaving:
		return "the child is being replaced"
	case !c.running[0].healthy:
		return "the child is not healthy yet"
	}
	return ""
}

// reason is the innermost cause: the rest of it repeats the address.
func reason(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

// A limited listener has so many connections open at most as slots has room for.
type limited struct {
	net.Listener
	slots chan struct{}
}

// Accept waits for room first.
func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// A limitedConn makes room when it is closed.
type limitedConn struct {
	net.Conn
	free func()
}

func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
