package infisical

import (
	"context"
	"fmt"
	"time"

	"infisync/source"
)

// The methods of [IdentityAuth].
const (
	KubernetesAuth = "kubernetes-auth" // the token of a service account
	OIDCAuth       = "oidc-auth"       // the ID token of an OpenID Connect provider
	JWTAuth        = "jwt-auth"        // a token signed with a key that the server knows
)

// IdentityAuth logs in with the id of a machine identity and a JSON Web Token, for
// which somebody stands whom the server trusts.
type IdentityAuth struct {
	Route string                       // the method: KubernetesAuth, OIDCAuth, JWTAuth
	ID    string                       // the identity's own, which is no client id
	JWT   func() (source.Value, error) // called at each login
}

// Method returns the route.
func (i IdentityAuth) Method() string { return i.Route }

// Identity returns the identity's id.
func (i IdentityAuth) Identity() string { return i.ID }

func (i IdentityAuth) bearer(ctx context.Context, c *Client) (bearer, error) {
	jwt, err := read(i.JWT, "the JWT")
	if err != nil {
		return bearer{}, err
	}
	if i.ID == "" {
		return bearer{}, source.Errorf(source.CodePartMissing, "the identity id is empty")
	}
	b, err := c.exchange(ctx, i.Route, map[string]string{"identityId": i.ID, "jwt": jwt.Reveal()}, jwt)
	end := Expiry(jwt)
	if source.CodeOf(err) == source.CodeLoginRefused && !end.IsZero() && end.Before(time.Now()) {
		ago := time.Since(end).Round(time.Second)
		err = &source.Error{Code: source.CodeLoginRefused, Text: fmt.Sprintf("%v; the JWT expired %s ago", err, ago), Err: err}
	}
	return b, err
}

// Expiry is when a JSON Web Token ends by its own words, in UTC; zero when it does
// not say, or is none.
func Expiry(jwt source.Value) time.Time { return readClaims(jwt).expiry() }
