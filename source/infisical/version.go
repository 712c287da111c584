package infisical

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"infisync/source"
)

// A version is one of the two sets of routes for secrets.
type version int

const (
	v4 version = iota
	v3         // the raw routes, the only ones before September 2025
)

// secrets is the route that lists, and below which single secrets are.
func (v version) secrets() string {
	if v == v3 {
		return "/v3/secrets/raw"
	}
	return "/v4/secrets"
}

// projectKey is what the project's id is called in queries and bodies.
func (v version) projectKey() string {
	if v == v3 {
		return "workspaceId"
	}
	return "projectId"
}

func (v version) placeQuery(p source.Place) url.Values {
	return url.Values{v.projectKey(): {p.Project}, "environment": {p.Environment}, "secretPath": {p.Path}}
}

// version is the one the server is known, or else assumed, to have.
func (c *Client) version() version {
	if c.known.legacy.Load() {
		return v3
	}
	return v4
}

// versioned asks the list route of the version the server should have and, when
// there is no such route, of the other. Only a list route settles it: of the
// routes for single secrets a name that is too long also makes an unknown one.
func (s *Session) versioned(list func(version) error) error {
	first := s.client.version()
	err := list(first)
	if !isNoRoute(err) {
		return err
	}
	second := v4 + v3 - first
	if err = list(second); source.CauseOf(source.CodeOf(err)) != source.CauseOutOfReach {
		s.client.known.legacy.Store(second == v3)
	}
	return err
}

// single makes a call to a route for single secrets. When there is no such route,
// nothing was done, and the list route is asked which version there is.
func (s *Session) single(ctx context.Context, build func(version) *call) error {
	assumed := s.client.version()
	err := s.do(ctx, build(assumed))
	if !isNoRoute(err) {
		return err
	}
	// Without a place it lists nothing but says what is missing.
	s.versioned(func(v version) error {
		return s.do(ctx, &call{
			doing:    "asking for the API's version",
			method:   http.MethodGet,
			path:     v.secrets(),
			notFound: source.CodeRequestRefused,
			read:     func(*http.Response, io.Reader) error { return nil },
		})
	})
	if now := s.client.version(); now != assumed {
		return s.do(ctx, build(now))
	}
	return err
}
