package infisicaltest

import (
	"net/http"
	"strconv"
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
	// Deferred, since some faults leave by panic, which is how a handler cuts a
	// connection.
	defer c.answered(0)
	s.respond(c, w)
}

// answered counts the call as answered, the first time. It comes before the last
// byte is sent: who has the answer finds it counted.
func (c *call) answered(status int) {
	if c.counted {
		return
	}
	c.counted = true
	c.s.log.answer(Request{
		Kind: c.kind, Method: c.req.Method, Path: c.req.URL.EscapedPath(), Query: c.req.URL.RawQuery,
		Header: c.sent, Status: status,
	})
}

// respond answers a call, as a fault has it when one meets it.
func (s *Server) respond(c *call, w http.ResponseWriter) {
	fault := s.takeFault(c.kind)
	if fault != nil && !fault.Do.needsAnswer() {
		fault.instead(c, w)
		return
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
	switch {
	case fault != nil:
		fault.spoil(c, out, w)
	case out.stream != nil:
		s.stream(c, out, w)
	default:
		c.send(out, w)
	}
}

// send sends an answer whole.
func (c *call) send(out *answer, w http.ResponseWriter) {
	c.answered(out.status)
	addHeader(w.Header(), out.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	w.WriteHeader(out.status)
	w.Write(out.body)
}
