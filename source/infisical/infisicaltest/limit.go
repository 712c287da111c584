package infisicaltest

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A category is which of the Limits holds for a route.
type category uint8

const (
	unlimited category = iota
	limitRead
	limitWrite
	limitSecret
)

func (l Limits) of(c category) int {
	switch c {
	case limitRead:
		return l.Read
	case limitWrite:
		return l.Write
	case limitSecret:
		return l.Secret
	}
	return 0
}

// A bucket is what is counted together: one client address on one route.
type bucket struct {
	address string
	route   *route
}

// A window is a bucket's count since a point in time.
type window struct {
	since time.Time
	count int
}

const windowLength = time.Minute

// limit counts the call against its rate limit. It comes after the token's check
// and before the parameters'.
func (c *call) limit() error {
	allowed := c.s.opts.Limits.of(c.route.limit)
	if allowed == 0 {
		return nil
	}
	now := c.s.now()
	key := bucket{address: clientAddress(c.req), route: c.route}
	w := c.s.buckets[key]
	if w == nil || now.Sub(w.since) >= windowLength {
		w = &window{since: now}
		c.s.buckets[key] = w
	}
	w.count++
	wait := int((windowLength - now.Sub(w.since) + time.Second - 1) / time.Second)
	c.header.Set("X-Ratelimit-Limit", strconv.Itoa(allowed))
	c.header.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, allowed-w.count)))
	c.header.Set("X-Ratelimit-Reset", strconv.Itoa(wait))
	if w.count <= allowed {
		return nil
	}
	var refused *apiError
	if c.s.traits.limit500 {
		refused = internal()
	} else {
		refused = &apiError{
			status: http.StatusTooManyRequests, name: "RateLimitError",
			message: fmt.Sprintf("Rate limit exceeded. Please try again in %d seconds", wait),
		}
	}
	refused.retryAfter = wait
	return refused
}

// SetLimits changes the rate limits and forgets what was counted.
func (s *Server) SetLimits(limits Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Limits = limits
	clear(s.buckets)
}

// clientAddress is the address that a proxy in front says, else the peer's.
func clientAddress(r *http.Request) string {
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" {
		first, _, _ := strings.Cut(forwarded, ",")
		return strings.TrimSpace(first)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
