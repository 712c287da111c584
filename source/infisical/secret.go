package infisical

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"infisync/source"
)

// Get returns one secret of a place, not looking into its imports. Errors:
// secret-not-found, value-masked, or what can go wrong with a listing.
func (s *Session) Get(ctx context.Context, place source.Place, name string, expand bool) (source.Secret, error) {
	place.Path = source.CleanPath(place.Path)
	doing := fmt.Sprintf("reading %q in %q", name, place)
	if !addressable(name) {
		return s.find(ctx, Query{Place: place, Expand: expand}, doing, name)
	}
	var secret source.Secret
	err := s.single(ctx, func(v version) *call {
		query := v.listQuery(Query{Place: place, Expand: expand})
		query.Set("type", "shared")
		return &call{
			doing:    doing,
			method:   http.MethodGet,
			path:     v.secret(name),
			query:    query,
			notFound: source.CodeSecretNotFound,
			read: func(_ *http.Response, body io.Reader) error {
				var answer struct {
					Secret *row `json:"secret"`
				}
				if err := decodeJSON(body, &answer); err != nil {
					return err
				}
				if answer.Secret == nil || answer.Secret.Name != name {
					return errShape
				}
				if err := answer.Secret.check(false); err != nil {
					return err
				}
				secret = answer.Secret.secret(place, false)
				return nil
			},
		}
	})
	if err != nil {
		return source.Secret{}, err
	}
	return secret, nil
}

// find is Get for a name that no route can hold.
func (s *Session) find(ctx context.Context, q Query, doing, name string) (source.Secret, error) {
	answer, err := s.List(ctx, q)
	if err != nil {
		return source.Secret{}, err
	}
	for _, secret := range answer.Listing.Own {
		if secret.Name == name {
			return secret, nil
		}
	}
	return source.Secret{}, source.Errorf(source.CodeSecretNotFound, "%s: there is no such secret", doing)
}

// secret is the route of one secret.
func (v version) secret(name string) string { return v.secrets() + "/" + url.PathEscape(name) }

// maxParameter is the length in bytes of a name in a route; one that is longer
// makes the route unknown.
const maxParameter = 99

// addressable tells whether a single secret's route can hold the name. Some names
// are routes of their own, and dots are taken for folders by what is on the way.
func addressable(name string) bool {
	switch name {
	case "", ".", "..", "batch", "move", "backfill-secret-references":
		return false
	}
	return len(url.PathEscape(name)) <= maxParameter && !strings.ContainsRune(name, 0)
}
