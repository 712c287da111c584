package infisicaltest

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
)

// tagOf is the quoted ETag of what is served.
func tagOf(parts ...[]byte) string {
	h := sha1.New()
	for _, part := range parts {
		h.Write(part)
	}
	return `"` + base64.StdEncoding.EncodeToString(h.Sum(nil)) + `"`
}

// conditional answers a read with 304 when the client has that answer already.
// The tag of a list depends on who asks for what, not on the token. Where it is
// kept in a cache, a tag that the cache has forgotten gives 200 with the same tag.
func (c *call) conditional(full *answer) *answer {
	if c.req.Method != http.MethodGet || full.status != http.StatusOK {
		return full
	}
	tag := full.header.Get("Etag")
	recalled := true
	if c.kind == KindList && c.s.traits.tagsForgotten {
		tag = tagOf([]byte(c.who.key()+"\x00"+c.req.URL.Query().Encode()+"\x00"), full.body)
		full.header.Set("Etag", tag)
		recalled = c.s.known[tag]
		c.s.known[tag] = true
	}
	// Only the tag as it was sent matches: no list, no weak form, no "*".
	if !recalled || c.req.Header.Get("If-None-Match") != tag {
		return full
	}
	return &answer{status: http.StatusNotModified, header: full.header}
}

// ForgetETags makes the server forget the lists it has served, as it does after
// 15 minutes without one and at midnight: each next list is answered 200, with
// the same tag when nothing changed. The profiles of 2024 and 2025 compute the
// tag anew each time and forget nothing.
func (s *Server) ForgetETags() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
}
