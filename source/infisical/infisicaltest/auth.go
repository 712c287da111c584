package infisicaltest

import (
	"strings"
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
