package infisical

// With returns a session of the same token that keeps to p, as [Client.With] does: so
// that a test's short limits are for what it tests, and not for the login before it.
func (s *Session) With(p Policy) *Session {
	other := &Session{client: s.client.With(p), bearer: s.current(), proven: true, renew: make(chan struct{}, 1)}
	other.renew <- struct{}{}
	return other
}
