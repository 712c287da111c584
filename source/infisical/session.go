package infisical

import (
	"context"
	"sync"
	"time"

	"infisync/source"
)

// A Session holds one token of a [Client] in memory. It is safe for concurrent
// use. When the server no longer accepts the token, it logs in again, once for all
// that use it; a token that was refused before it was ever accepted ends in a
// CodeTokenRefused.
type Session struct {
	client *Client
	renew  chan struct{} // holds one element; who takes it may log in

	mu     sync.Mutex
	bearer bearer
	proven bool // the server accepted the bearer, or it is the first one
}

// Login obtains a fresh token. Errors: login-refused, which must not be repeated
// soon, for a third refusal locks the identity; identity-locked; what can go wrong
// with any request. A ready [Token] is only read: whether the server accepts it
// shows at the first request.
func (c *Client) Login(ctx context.Context) (*Session, error) {
	if c.login == nil {
		return nil, source.Errorf(source.CodePartMissing, "no credentials are given")
	}
	bearer, err := c.login.bearer(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Session{client: c, bearer: bearer, proven: true, renew: make(chan struct{}, 1)}
	s.renew <- struct{}{}
	return s, nil
}

// Expiry is when the token ends, in UTC by the server's clock; zero when that is
// not known. The server may end it sooner.
func (s *Session) Expiry() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer.expiry
}

// do makes a call with the session's token, and once more with a new token when
// the server refuses this one.
func (s *Session) do(ctx context.Context, c *call) error {
	used := s.current()
	c.bearer = used.token
	err := s.client.do(ctx, c)
	if source.CodeOf(err) == source.CodeTokenRefused {
		next, ok, loginErr := s.replace(ctx, used)
		if loginErr != nil {
			return loginErr
		}
		if !ok {
			return err
		}
		used = next
		c.bearer = used.token
		err = s.client.do(ctx, c)
	}
	if err == nil {
		s.accepted(used)
	}
	return err
}

func (s *Session) current() bearer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer
}

func (s *Session) accepted(used bearer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bearer == used {
		s.proven = true
	}
}

// replace returns a token other than the refused one: that of whoever came first,
// else a new one. It is not ok when logging in again would not help.
func (s *Session) replace(ctx context.Context, refused bearer) (next bearer, ok bool, err error) {
	select {
	case <-s.renew:
		defer func() { s.renew <- struct{}{} }()
	case <-ctx.Done():
		return bearer{}, false, source.Errorf(source.CodeTimeout, "waiting for another login: %w", ctx.Err())
	}
	s.mu.Lock()
	current, proven := s.bearer, s.proven
	s.mu.Unlock()
	if current != refused {
		return current, true, nil
	}
	if !refused.renewable || !proven {
		return bearer{}, false, nil
	}
	if next, err = s.client.login.bearer(ctx, s.client); err != nil {
		return bearer{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearer, s.proven = next, false
	return next, true, nil
}
