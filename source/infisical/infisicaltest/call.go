package infisicaltest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxBodyBytes   = 1 << 20  // 1 MiB
	maxHeaderBytes = 16 << 10 // 16 KiB
)

// A call is one request on its way through the API. In order: its route is
// found, its token is checked, its body is parsed, it is counted against the
// rate limit, its parameters are validated, it is carried out.
type call struct {
	s       *Server
	req     *http.Request
	route   *route // nil: unknown
	name    string // the path's parameter
	kind    Kind
	raw     []byte
	excess  bool // the body was larger than allowed; raw is a part of it
	body    any  // parsed; nil: none
	who     actor
	success int         // the status of one
	header  http.Header // of the answer

	sent    http.Header // the request's header as it was
	counted bool        // as answered
}

func (s *Server) newCall(r *http.Request) *call {
	c := &call{s: s, req: r, success: http.StatusOK, header: make(http.Header), sent: r.Header.Clone(), kind: KindUnknown}
	if c.route, c.name = s.findRoute(r); c.route != nil {
		c.kind = c.route.kind
	}
	// One byte more than allowed tells that there is more. What cannot be read
	// is treated like what was not sent.
	c.raw, _ = io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1))
	c.excess = len(c.raw) > maxBodyBytes
	return c
}

// run carries the call out. The caller holds s.mu.
func (c *call) run() *answer {
	value, err := c.serve()
	if err != nil {
		var refused *apiError
		if !errors.As(err, &refused) {
			refused = internal()
		}
		out := refused.answer(c.requestID())
		addHeader(out.header, c.header)
		return out
	}
	if out, ok := value.(*answer); ok {
		addHeader(out.header, c.header)
		return out
	}
	out := jsonAnswer(c.success, value)
	addHeader(out.header, c.header)
	return c.conditional(out)
}

// requestID is what errors name a request by; empty where the profile has none.
func (c *call) requestID() string {
	if c.s.traits.noRequestID {
		return ""
	}
	return "req-" + rand.Text()[:14]
}

func (c *call) serve() (any, error) {
	if headerSize(c.req) > maxHeaderBytes {
		return nil, &apiError{
			status: http.StatusRequestHeaderFieldsTooLarge, name: "Request Header Fields Too Large", bare: true,
			message: "Exceeded maximum allowed HTTP header size",
		}
	}
	if c.route == nil {
		if c.webPage() {
			return htmlAnswer(http.StatusOK, webPage), nil
		}
		return nil, routeNotFound(c.req)
	}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if err := c.parse(); err != nil {
		return nil, err
	}
	if err := c.limit(); err != nil {
		return nil, err
	}
	return c.route.handle(c)
}

// webPage tells whether the request gets the web interface: a server whose base
// URL was mistyped answers it with 200.
func (c *call) webPage() bool {
	path := c.req.URL.Path
	inAPI := path == "/api" || strings.HasPrefix(path, "/api/")
	return !c.s.traits.noWebPages && !inAPI && (c.req.Method == http.MethodGet || c.req.Method == http.MethodHead)
}

func headerSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return size
}

// parse reads the body as its content type says. A type that the server does not
// know, and whatever goes wrong with one it knows, is an error it did not expect.
func (c *call) parse() error {
	contentType := c.req.Header.Get("Content-Type")
	if contentType == "" && len(c.raw) == 0 || c.req.Method == http.MethodGet || c.req.Method == http.MethodHead {
		return nil
	}
	if c.excess {
		return internal()
	}
	media, _, _ := mime.ParseMediaType(contentType)
	switch media {
	case "application/json":
		if json.Unmarshal(c.raw, &c.body) != nil {
			return internal()
		}
	case "text/plain":
		c.body = string(c.raw)
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(c.raw))
		if err != nil {
			return internal()
		}
		c.body = queryForm(values).values
	default:
		return internal()
	}
	return nil
}

// query reads the parameters of a read.
func (c *call) query() *form { return queryForm(c.req.URL.Query()) }

// form reads the parameters of a write, which are in the body.
func (c *call) form() (*form, error) {
	values, ok := c.body.(map[string]any)
	if ok {
		return newForm(values), nil
	}
	if c.s.traits.queryDelete && c.req.Method == http.MethodDelete {
		return c.query(), nil
	}
	return nil, c.s.invalid([]issue{{
		Code: "invalid_type", Expected: "object", Received: kindOf(c.body), Path: []any{},
		Message: "Expected object, received " + kindOf(c.body),
	}})
}

// An answer is a response before it is sent.
type answer struct {
	status int
	header http.Header
	body   []byte
	stream *stream // events instead of a body
}

func jsonAnswer(status int, value any) *answer {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("infisicaltest: an answer always marshals: " + err.Error())
	}
	out := &answer{status: status, header: make(http.Header), body: bytes.TrimSuffix(body.Bytes(), []byte("\n"))}
	out.header.Set("Content-Type", "application/json; charset=utf-8")
	out.header.Set("Etag", tagOf(out.body))
	return out
}

func htmlAnswer(status int, page string) *answer {
	out := &answer{status: status, header: make(http.Header), body: []byte(page)}
	out.header.Set("Content-Type", "text/html; charset=utf-8")
	return out
}

const webPage = "<!doctype html><html><head><title>Infisical</title></head><body><div id=\"root\"></div></body></html>\n"

func addHeader(to, from http.Header) {
	for name, values := range from {
		to[name] = values
	}
}
