package infisicaltest

import (
	"net/http"
	"strings"
)

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.opts.Control && strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control(w, r)
		return
	}
	c := s.newCall(r)
	w.Header().Set("Date", s.Now().Format(http.TimeFormat))
	s.log.arrive(c.kind)
	entry := Request{
		Kind: c.kind, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header.Clone(),
	}
	// Deferred, since some faults leave by panic, which is how a handler cuts a
	// connection.
	defer func() { s.log.answer(entry) }()
	entry.Status = s.respond(c, w)
}

// respond answers a call and returns the status that was sent, 0 for none.
func (s *Server) respond(c *call, w http.ResponseWriter) int {
	fault := s.takeFault(c.kind)
	if fault != nil && !fault.Do.needsAnswer() {
		return fault.instead(c, w)
	}
	if fault != nil && fault.Do == FaultHang {
		fault.hold(c)
	}
	if fault != nil && fault.Do.altersList() {
		c.req.Header.Del("If-None-Match")
	}
	s.mu.Lock()
	out := c.run()
	s.mu.Unlock()
	if fault != nil {
		return fault.spoil(c, out, w)
	}
	if out.stream != nil {
		return s.stream(c, out, w)
	}
	out.send(w)
	return out.status
}
