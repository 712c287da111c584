package infisical

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"infisync/source"
)

// A Login is how an identity proves who it is: a [UniversalAuth], an [IdentityAuth]
// or a [Token].
type Login interface {
	// Method is the segment of the login's route, such as "universal-auth", and
	// "token" where there is nothing to log in with.
	Method() string
	// Identity tells one identity from another and is no secret. It is empty when
	// what it is taken from cannot be read.
	Identity() string
	// bearer returns a token that was not used before, or the only one there is.
	bearer(ctx context.Context, c *Client) (bearer, error)
}

// A bearer is what requests are authorized with.
type bearer struct {
	token     source.Value
	expiry    time.Time // UTC; zero: not known
	renewable bool      // logging in again gives another one
}

// UniversalAuth logs in with a client id and a client secret.
type UniversalAuth struct {
	ClientID string
	Secret   func() (source.Value, error) // called at each login
}

// Method returns "universal-auth".
func (UniversalAuth) Method() string { return "universal-auth" }

// Identity returns the client id.
func (u UniversalAuth) Identity() string { return u.ClientID }

func (u UniversalAuth) bearer(ctx context.Context, c *Client) (bearer, error) {
	secret, err := read(u.Secret, "the client secret")
	if err != nil {
		return bearer{}, err
	}
	if u.ClientID == "" {
		return bearer{}, source.Errorf(source.CodePartMissing, "the client id is empty")
	}
	return c.exchange(ctx, u.Method(), map[string]string{
		"clientId":     u.ClientID,
		"clientSecret": secret.Reveal(),
	}, secret)
}

// A Token is an access token that someone else obtained: an identity's, or a
// service token, which begins with "st.".
type Token struct {
	Read func() (source.Value, error) // called at each login
}

// Method returns "token".
func (Token) Method() string { return "token" }

// Identity returns the identity's id that the token names, else the first 16 hex
// digits of the token's SHA-256.
func (t Token) Identity() string {
	b, err := t.bearer(context.Background(), nil)
	if err != nil {
		return ""
	}
	if id := readClaims(b.token).Identity; id != "" {
		return oneLine(id, maxName)
	}
	sum := sha256.Sum256([]byte(b.token.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func (t Token) bearer(context.Context, *Client) (bearer, error) {
	token, err := read(t.Read, "the access token")
	if err != nil {
		return bearer{}, err
	}
	if text := token.Reveal(); strings.HasPrefix(text, "st.") {
		// What follows the third part is a key for values that the server hands out
		// encrypted, and none of its business.
		parts := strings.Split(text, ".")
		token = source.NewValue(strings.Join(parts[:min(len(parts), 3)], "."))
	}
	return bearer{token: token, expiry: readClaims(token).expiry()}, nil
}

// read calls from and refuses what cannot be a credential. What surrounds it, such
// as the line end of a file, is dropped, as the server does.
func read(from func() (source.Value, error), what string) (source.Value, error) {
	if from == nil {
		return source.Value{}, source.Errorf(source.CodePartMissing, "%s is not given", what)
	}
	value, err := from()
	if _, coded := errors.AsType[*source.Error](err); coded {
		return source.Value{}, err
	}
	if err != nil {
		return source.Value{}, source.Errorf(source.CodeConfigInvalid, "reading %s: %w", what, err)
	}
	text := strings.TrimSpace(value.Reveal())
	if text == "" {
		return source.Value{}, source.Errorf(source.CodePartMissing, "%s is empty", what)
	}
	if !validHeaderValue(text) {
		return source.Value{}, source.Errorf(source.CodeConfigInvalid, "%s holds a line end or another control character", what)
	}
	return source.NewValue(text), nil
}

// exchange posts the fields to the login route of method.
func (c *Client) exchange(ctx context.Context, method string, fields map[string]string, secrets ...source.Value) (bearer, error) {
	if c.org != "" {
		fields["organizationSlug"] = c.org
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return bearer{}, source.Errorf(source.CodeInternal, "encoding the login")
	}
	var got bearer
	err = c.do(ctx, &call{
		doing:  fmt.Sprintf("logging in to %q", c.base),
		method: http.MethodPost,
		path:   "/v1/auth/" + method + "/login",
		body:   body,
		secret: secrets,
		login:  method,
		read: func(_ *http.Response, body io.Reader) (err error) {
			got, err = readLogin(body)
			return err
		},
	})
	if err != nil {
		return bearer{}, err
	}
	return got, nil
}

func readLogin(body io.Reader) (bearer, error) {
	var answer struct {
		Token     string  `json:"accessToken"`
		ExpiresIn float64 `json:"expiresIn"` // seconds
	}
	if err := decodeJSON(body, &answer); err != nil {
		return bearer{}, err
	}
	token := strings.TrimSpace(answer.Token)
	if token == "" || !validHeaderValue(token) {
		return bearer{}, source.Errorf(source.CodeNoAccessToken, "%w", ErrNoAccessToken)
	}
	b := bearer{token: source.NewValue(token), renewable: true}
	// expiresIn is what is configured, and can be longer than the token lives.
	b.expiry = readClaims(b.token).expiry()
	if b.expiry.IsZero() && answer.ExpiresIn > 0 && answer.ExpiresIn < 1e9 {
		b.expiry = time.Now().UTC().Add(time.Duration(answer.ExpiresIn * float64(time.Second)))
	}
	return b, nil
}

// claims are what a JSON Web Token says of itself. They are not verified: only
// the server can do that.
type claims struct {
	Identity string  `json:"identityId"`
	Expires  float64 `json:"exp"` // seconds since 1970
}

// readClaims returns the zero claims for a token that has none.
func readClaims(token source.Value) claims {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

func (c claims) expiry() time.Time {
	if c.Expires <= 0 || c.Expires > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(c.Expires), 0).UTC()
}
