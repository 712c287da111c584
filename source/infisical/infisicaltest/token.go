package infisicaltest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Seconds that identities have when their seed says nothing, and the longest
// life that a self-contained token can have.
const (
	defaultTTL = 30 * 24 * 60 * 60
	longestTTL = 90 * 24 * 60 * 60
)

// A token is what the server knows of an access token it gave out.
type token struct {
	id      string
	of      *account // nil: a user's
	created time.Time
	renewed time.Time // or created
	uses    int
	revoked bool
}

// claims are a token's content.
type claims struct {
	Type     string `json:"authTokenType"`
	ID       string `json:"identityAccessTokenId,omitempty"`
	Identity string `json:"identityId,omitempty"`
	User     string `json:"userId,omitempty"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp,omitempty"` // 0: never
}

const jwtHeader = `{"alg":"HS256","typ":"JWT"}`

func segment(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func (s *Server) sign(c claims) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic("infisicaltest: claims always marshal: " + err.Error())
	}
	signed := segment([]byte(jwtHeader)) + "." + segment(payload)
	return signed + "." + segment(s.mac(signed))
}

func (s *Server) mac(signed string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(signed))
	return h.Sum(nil)
}

// verify checks a presented token's form, signature and expiry, in the order of
// the library that the server uses.
func (s *Server) verify(jwt string) (claims, error) {
	refuse := func(message string) (claims, error) { return claims{}, forbidden("TokenError", message) }
	if jwt == "" {
		return refuse("jwt must be provided")
	}
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return refuse("The provided access token is malformed. Please use a valid token or generate a new one and try again.")
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if decodeSegment(parts[0], &header) != nil || decodeSegment(parts[1], &c) != nil {
		return refuse("invalid token")
	}
	if parts[2] == "" {
		return refuse("jwt signature is required")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || header.Algorithm != "HS256" || !hmac.Equal(signature, s.mac(parts[0]+"."+parts[1])) {
		return refuse("invalid signature")
	}
	if c.Expires != 0 && s.now().Unix() >= c.Expires {
		const message = "Your token has expired. Please re-authenticate."
		if s.traits.expired401 {
			return claims{}, unauthorized(message)
		}
		return refuse(message)
	}
	return c, nil
}

func decodeSegment(text string, to any) error {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

// mint makes a token for an identity.
func (s *Server) mint(of *account) string {
	now := s.now()
	row := &token{id: s.newID(), of: of, created: now, renewed: now}
	s.tokens[row.id] = row
	return s.signRow(row)
}

// signRow signs what a row stands for. A token with a row carries the end of its
// budget; one without carries its real end.
func (s *Server) signRow(row *token) string {
	budget := int64(row.of.maxTTL())
	expires := row.created.Unix() + budget
	if !s.traits.tokenRows {
		life := min(budget, longestTTL)
		if ttl := int64(row.of.ttl()); ttl > 0 {
			life = min(life, ttl)
		}
		expires = min(expires, row.renewed.Unix()+life)
	}
	return s.sign(claims{
		Type: "identityAccessToken", ID: row.id, Identity: row.of.ClientID,
		IssuedAt: row.renewed.Unix(), Expires: expires,
	})
}

// spend finds the row of a verified identity token, checks that it is still
// good and counts one use.
func (s *Server) spend(c claims) (*token, error) {
	row := s.tokens[c.ID]
	if row == nil {
		return nil, unauthorized("No identity access token found")
	}
	if row.revoked {
		return nil, unauthorized("The access token has been revoked")
	}
	if limit := row.of.TokenUses; limit > 0 && row.uses >= limit {
		if s.traits.tokenRows {
			delete(s.tokens, row.id)
			return nil, unauthorized("Unable to renew because access token number of uses limit reached")
		}
		return nil, unauthorized("The access token's usage limit reached")
	}
	ttl := time.Duration(row.of.ttl()) * time.Second
	if s.traits.tokenRows && ttl > 0 && s.now().After(row.renewed.Add(ttl)) {
		delete(s.tokens, row.id)
		return nil, unauthorized("Failed to renew MI access token due to TTL expiration")
	}
	row.uses++
	return row, nil
}

// revoke ends a token. Where tokens have rows, the row is gone.
func (s *Server) revoke(row *token) {
	row.revoked = true
	if s.traits.tokenRows {
		delete(s.tokens, row.id)
	}
}

// Token makes an access token of an identity without a login.
func (s *Server) Token(clientID string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.account(clientID)
	if of == nil {
		return "", fmt.Errorf("no identity %q", clientID)
	}
	return s.mint(of), nil
}

// UserToken makes an access token of a user, good for ten days.
func (s *Server) UserToken(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user(id) == nil {
		return "", fmt.Errorf("no user %q", id)
	}
	now := s.now()
	return s.sign(claims{
		Type: "accessToken", User: id, IssuedAt: now.Unix(), Expires: now.Add(10 * 24 * time.Hour).Unix(),
	}), nil
}
