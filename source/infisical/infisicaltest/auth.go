package infisicaltest

import (
	"fmt"
	"strings"
	"time"
)

// An actor is who makes a request. The zero actor is nobody.
type actor struct {
	identity *account
	user     *User
	service  *ServiceToken
}

func (a actor) access() access {
	switch {
	case a.identity != nil:
		return forIdentities
	case a.user != nil:
		return forUsers
	case a.service != nil:
		return forServiceTokens
	}
	return 0
}

// key tells actors apart; two tokens of one identity have the same.
func (a actor) key() string {
	switch {
	case a.identity != nil:
		return "identity " + a.identity.ClientID
	case a.user != nil:
		return "user " + a.user.ID
	case a.service != nil:
		return "service " + a.service.Token
	}
	return ""
}

// owner is whose personal secrets the actor has: a user's, or nobody's.
func (a actor) owner() string {
	if a.user == nil {
		return ""
	}
	return a.user.ID
}

// authenticate checks the token that a request carries, also on routes that need
// none, and then whether the route needs one.
func (c *call) authenticate() error {
	if _, given := c.req.Header["X-Api-Key"]; given {
		return badRequest("Failed to find the API key")
	}
	if header, given := c.req.Header["Authorization"]; given {
		if err := c.identify(header[0]); err != nil {
			return err
		}
	}
	if c.route.access == 0 {
		return nil
	}
	if c.who == (actor{}) {
		return unauthorized("Token missing")
	}
	if c.who.access()&c.route.access == 0 {
		return forbidden("Forbidden access to "+c.req.URL.Path, "You are not allowed to access this resource")
	}
	return nil
}

// identify finds out whose token it is. Of the header seven characters are cut
// off, whatever they are.
func (c *call) identify(header string) error {
	jwt := header[min(len(header), len("Bearer ")):]
	if strings.HasPrefix(jwt, "st.") {
		c.who.service = c.s.service(jwt)
		if c.who.service == nil {
			return notFound("NotFound", "Service token not found")
		}
		return nil
	}
	claims, err := c.s.verify(jwt)
	if err != nil {
		return err
	}
	if claims.User != "" {
		if c.who.user = c.s.user(claims.User); c.who.user == nil {
			return unauthorized("User not found")
		}
		return nil
	}
	row, err := c.s.spend(claims)
	if err != nil {
		return err
	}
	c.who.identity = row.of
	return nil
}

func (s *Server) user(id string) *User {
	for i := range s.users {
		if s.users[i].ID == id {
			return &s.users[i]
		}
	}
	return nil
}

// service finds a service token by its first three parts: the fourth is a key
// that the server never sees.
func (s *Server) service(presented string) *ServiceToken {
	want := firstParts(presented)
	for i := range s.serviceTokens {
		if firstParts(s.serviceTokens[i].Token) == want {
			return &s.serviceTokens[i]
		}
	}
	return nil
}

func firstParts(token string) string {
	parts := strings.Split(token, ".")
	return strings.Join(parts[:min(len(parts), 3)], ".")
}

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

// presented reads the token that renewal and revocation take in their body.
func (c *call) presented() (*token, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	jwt := jsTrim(f.text("accessToken"))
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	claims, err := c.s.verify(jwt)
	if err != nil {
		return nil, err
	}
	return c.s.spend(claims)
}

// renewToken gives a token with the rest of the budget that the first one had.
func (c *call) renewToken() (any, error) {
	row, err := c.presented()
	if err != nil {
		return nil, err
	}
	now := c.s.now()
	end := row.created.Add(time.Duration(row.of.maxTTL()) * time.Second)
	renewedEnd := now.Add(time.Duration(row.of.ttl()) * time.Second)
	if c.s.traits.tokenRows && renewedEnd.After(end) {
		return nil, unauthorized("Failed to renew MI access token past its Max TTL expiration")
	}
	if !now.Before(end) {
		return nil, unauthorized("The access token's Max TTL is exhausted")
	}
	row.renewed = now
	return tokenAnswer(row.of, c.s.signRow(row)), nil
}

func (c *call) revokeToken() (any, error) {
	row, err := c.presented()
	if err != nil {
		return nil, err
	}
	c.s.revoke(row)
	return object{"message": "Successfully revoked access token"}, nil
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
