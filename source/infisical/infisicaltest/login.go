package infisicaltest

import (
	"fmt"
	"time"
)

// An account is an identity and what the server keeps about its logins.
type account struct {
	Identity
	logins      int
	failures    int
	lastFailure time.Time
	lockedUntil time.Time
}

// ttl is in seconds; 0: none configured.
func (a *account) ttl() int {
	switch {
	case a.TTL == 0:
		return defaultTTL
	case a.TTL < 0:
		return 0
	}
	return a.TTL
}

func (a *account) maxTTL() int {
	if a.MaxTTL == 0 {
		return defaultTTL
	}
	return a.MaxTTL
}

func (s *Server) account(clientID string) *account {
	for _, a := range s.identities {
		if a.ClientID == clientID {
			return a
		}
	}
	return nil
}

// How many logins with a wrong secret lock an identity, and for how long.
const (
	lockoutAfter  = 3
	lockoutWithin = 30 * time.Second
	lockoutFor    = 300 * time.Second
)

// login is the universal auth login.
func (c *call) login() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	clientID, clientSecret := jsTrim(f.text("clientId")), jsTrim(f.text("clientSecret"))
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	of := c.s.account(clientID)
	if of == nil && c.s.traits.unknownID404 {
		return nil, notFound("NotFound", "No identity with specified client ID was found")
	}
	if of == nil {
		return nil, unauthorized("Invalid credentials")
	}
	if err := c.s.admit(of, clientSecret); err != nil {
		return nil, err
	}
	return c.s.grant(of), nil
}

// admit checks a client secret, and keeps the books of the lockout and of the
// secret's uses.
func (s *Server) admit(of *account, clientSecret string) error {
	now := s.now()
	if now.Before(of.lockedUntil) {
		return unauthorized("This identity auth method is temporarily locked, please try again later")
	}
	if clientSecret != of.ClientSecret {
		if now.Sub(of.lastFailure) > lockoutWithin {
			of.failures = 0
		}
		of.failures++
		of.lastFailure = now
		if of.failures >= lockoutAfter {
			of.failures, of.lockedUntil = 0, now.Add(lockoutFor)
		}
		return unauthorized("Invalid credentials")
	}
	if of.SecretUses > 0 && of.logins >= of.SecretUses {
		return unauthorized("Access denied due to client secret usage limit reached")
	}
	of.failures = 0
	of.logins++
	return nil
}

// grant gives an identity a fresh token. What it says of its life is what is
// configured, which may be 0 or more than it has.
func (s *Server) grant(of *account) object {
	return tokenAnswer(of, s.mint(of))
}

func tokenAnswer(of *account, jwt string) object {
	return object{
		"accessToken": jwt, "expiresIn": of.ttl(), "accessTokenMaxTTL": of.maxTTL(), "tokenType": "Bearer",
	}
}

// loginOtherwise is the login with another method, which is accepted when the
// body holds the fields that the identity's seed names.
func (c *call) loginOtherwise() (any, error) {
	method := c.name
	known := false
	for _, a := range c.s.identities {
		known = known || a.Logins[method] != nil
	}
	if !known {
		return nil, routeNotFound(c.req)
	}
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	id := f.text("identityId")
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	of := c.s.account(id)
	if of == nil || of.Logins[method] == nil {
		return nil, notFound("NotFound", "The identity has no such auth method")
	}
	accepted := true
	for field, want := range of.Logins[method] {
		accepted = accepted && f.text(field) == want
	}
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	if !accepted {
		return nil, unauthorized("Access denied: the proof of identity was not accepted")
	}
	return c.s.grant(of), nil
}

// ChangeIdentity changes an identity, as an administrator would: its secret, its
// role, its projects. Tokens given out stay good.
func (s *Server) ChangeIdentity(clientID string, change func(*Identity)) error {
	return s.withAccount(clientID, func(a *account) { change(&a.Identity) })
}

// Revoke ends all tokens of an identity.
func (s *Server) Revoke(clientID string) error {
	return s.withAccount(clientID, func(a *account) {
		for _, row := range s.tokens {
			if row.of == a {
				s.revoke(row)
			}
		}
	})
}

// Lock locks an identity's logins as three wrong ones would.
func (s *Server) Lock(clientID string) error {
	return s.withAccount(clientID, func(a *account) { a.lockedUntil = s.now().Add(lockoutFor) })
}

// Unlock ends a lock and forgets wrong logins.
func (s *Server) Unlock(clientID string) error {
	return s.withAccount(clientID, func(a *account) { a.lockedUntil, a.failures = time.Time{}, 0 })
}

func (s *Server) withAccount(clientID string, do func(*account)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(clientID)
	if a == nil {
		return fmt.Errorf("no identity %q", clientID)
	}
	do(a)
	return nil
}
