package infisicaltest

import (
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"
)

// How answers are sent that are not sent whole.

// sendHalf sends the header and the first half of the body, and returns the rest.
func (a *answer) sendHalf(w http.ResponseWriter) (rest []byte) {
	addHeader(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	half := len(a.body) / 2
	w.Write(a.body[:half])
	http.NewResponseController(w).Flush()
	return a.body[half:]
}

// sendSlowly sends the body byte by byte.
func (f *fault) sendSlowly(c *call, a *answer, w http.ResponseWriter) {
	pace := f.Pace
	if pace <= 0 {
		pace = 100 * time.Millisecond
	}
	addHeader(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	flush := http.NewResponseController(w).Flush
	flush()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range a.body {
		if i == len(a.body)-1 {
			c.answered(a.status)
		}
		select {
		case <-tick.C:
			w.Write(a.body[i : i+1])
			flush()
		case <-f.lifted:
			c.answered(a.status)
			w.Write(a.body[i:])
			return
		case <-f.closed:
			panic(http.ErrAbortHandler)
		case <-c.req.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

const hugeBody = 80 << 20 // bytes; more than any client should take

// sendHuge sends a list that is well formed and far too large.
func (c *call) sendHuge(w http.ResponseWriter) {
	c.answered(http.StatusOK)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	const head = `{"secrets":[{"id":"1","type":"shared","secretKey":"HUGE","secretPath":"/","secretValue":"`
	if _, err := w.Write([]byte(head)); err != nil {
		return
	}
	chunk := make([]byte, 64<<10)
	for i := range chunk {
		chunk[i] = 'x'
	}
	for sent := 0; sent < hugeBody; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return // the client had enough
		}
	}
	w.Write([]byte(`"}],"imports":[]}`))
}

// reset ends the connection so that the client's next read fails at once, with
// "connection reset by peer" and not with an end of file.
func (c *call) reset(w http.ResponseWriter) {
	c.answered(0)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	raw.Close()
}
