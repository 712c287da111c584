package infisical

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"infisync/source"
)

// A Query says what to list.
type Query struct {
	Place     source.Place // all three parts are needed
	Recursive bool         // the folders below the path, too
	Imports   bool         // what the place imports, too
	Expand    bool         // the server replaces ${…} by what it refers to
	NamesOnly bool         // ask for no values, and have none in the answer
	ETag      string       // of an Answer to the same query of the same identity; empty: list in any case
}

// An Answer is what a place lists.
type Answer struct {
	Listing     source.Listing // empty when NotModified
	ETag        string         // for the next Query; empty: the server gave none
	NotModified bool           // nothing changed since the query's ETag
}

// List lists one place. The Listing is whole or there is an error: place-not-found,
// project-not-found, access-denied, token-refused, value-masked, or what can go
// wrong with any request. Servers of 2024 answer an unknown environment or path
// with an empty listing.
func (s *Session) List(ctx context.Context, q Query) (Answer, error) {
	doing := fmt.Sprintf("listing %q", q.Place)
	if q.Place.Project == "" || q.Place.Environment == "" {
		return Answer{}, source.Errorf(source.CodePartMissing, "%s: the project or the environment is not given", doing)
	}
	q.Place.Path = source.CleanPath(q.Place.Path)
	var answer Answer
	err := s.versioned(func(v version) error {
		return s.do(ctx, &call{
			doing:    doing,
			method:   http.MethodGet,
			path:     v.secrets(),
			query:    v.listQuery(q),
			etag:     q.ETag,
			notFound: source.CodePlaceNotFound,
			read: func(resp *http.Response, body io.Reader) error {
				var err error
				answer, err = readAnswer(q, resp, body)
				return err
			},
		})
	})
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

func readAnswer(q Query, resp *http.Response, body io.Reader) (Answer, error) {
	etag := resp.Header.Get("ETag")
	if resp.StatusCode == http.StatusNotModified {
		return Answer{ETag: q.ETag, NotModified: true, Listing: source.Listing{Place: q.Place}}, nil
	}
	listing, err := readListing(q, body)
	if err != nil {
		return Answer{}, err
	}
	if len(etag) > 1024 {
		etag = "" // nothing to send back with every poll
	}
	return Answer{Listing: listing, ETag: etag}, nil
}

// listQuery spells every flag out: the defaults differ between releases, as does
// the name of the flag for imports. A server drops what it does not know.
func (v version) listQuery(q Query) url.Values {
	query := v.placeQuery(q.Place)
	query.Set("recursive", strconv.FormatBool(q.Recursive))
	query.Set("includeImports", strconv.FormatBool(q.Imports))
	query.Set("include_imports", strconv.FormatBool(q.Imports))
	query.Set("expandSecretReferences", strconv.FormatBool(q.Expand))
	query.Set("viewSecretValue", strconv.FormatBool(!q.NamesOnly))
	query.Set("includePersonalOverrides", "false")
	return query
}

// readListing decodes secret by secret, so that a large answer is never in memory
// as a whole besides what is made of it.
func readListing(q Query, body io.Reader) (source.Listing, error) {
	dec := json.NewDecoder(body)
	own := listReader{query: q, own: true}
	var imports []source.Import
	found := false
	err := eachKey(dec, func(key string) error {
		switch key {
		case "secrets":
			found = true
			return eachItem(dec, func() error { return own.next(dec) })
		case "imports":
			return eachOptional(dec, func() error {
				imported, err := readImport(q, dec)
				imports = append(imports, imported)
				return err
			})
		}
		return skip(dec)
	})
	if err == nil {
		err = atEnd(dec)
	}
	if err == nil && !found {
		err = errShape
	}
	if err != nil {
		return source.Listing{}, err
	}
	return source.Listing{Place: q.Place, Own: own.shared(), Imports: imports}, nil
}

func readImport(q Query, dec *json.Decoder) (source.Import, error) {
	reader := listReader{query: q}
	place := source.Place{Project: q.Place.Project}
	found := false
	err := eachKey(dec, func(key string) error {
		switch key {
		case "secretPath":
			return dec.Decode(&place.Path)
		case "environment":
			return dec.Decode(&place.Environment)
		case "secrets":
			found = true
			return eachItem(dec, func() error { return reader.next(dec) })
		}
		return skip(dec)
	})
	if err == nil && (!found || place.Environment == "") {
		err = errShape
	}
	if err != nil {
		return source.Import{}, err
	}
	place.Path = source.CleanPath(place.Path)
	secrets := reader.shared()
	// Which place an imported secret is kept in is said of the import as a whole,
	// and may come after the secrets.
	for i := range secrets {
		project := secrets[i].Place.Project
		secrets[i].Place, secrets[i].Imported = place, true
		if project != "" {
			secrets[i].Place.Project = project
		}
	}
	if len(secrets) > 0 {
		place.Project = secrets[0].Place.Project
	}
	return source.Import{Place: place, Secrets: secrets}, nil
}

// A listReader collects the secrets of one array.
type listReader struct {
	query    Query
	own      bool // of the place asked for, not of an import
	secrets  []source.Secret
	personal []bool // of each secret
	row      row
}

func (l *listReader) next(dec *json.Decoder) error {
	l.row = row{}
	if err := dec.Decode(&l.row); err != nil {
		return err
	}
	if err := l.row.check(l.query.NamesOnly); err != nil {
		return err
	}
	place := source.Place{Project: l.row.Project}
	if l.own {
		asked := l.query.Place
		if foreign(l.row.Project, asked.Project) || foreign(l.row.Environment, asked.Environment) {
			return source.Errorf(source.CodeNotTheAPI, "the answer is of another place, %q in %q", l.row.Project, l.row.Environment)
		}
		place = asked
		place.Path = l.folder(l.row.Path)
	}
	l.secrets = append(l.secrets, l.row.secret(place, l.query.NamesOnly))
	l.personal = append(l.personal, l.row.Type == "personal")
	return nil
}

// folder returns a clean path. It is the same string as that of the asked place or
// of the secret before where it can be, so that thousands of secrets share it.
func (l *listReader) folder(path string) string {
	switch n := len(l.secrets); {
	case path == "", path == l.query.Place.Path:
		return l.query.Place.Path
	case n > 0 && path == l.secrets[n-1].Place.Path:
		return l.secrets[n-1].Place.Path
	}
	return source.CleanPath(path)
}

// foreign tells whether a secret says that it belongs elsewhere: a cache on the
// way that does not tell queries apart would give one environment's secrets to
// another.
func foreign(got, want string) bool { return got != "" && !strings.EqualFold(got, want) }

// shared returns the secrets without the personal ones that have a shared one
// beside them; old servers list both to a user.
func (l *listReader) shared() []source.Secret {
	if !slices.Contains(l.personal, true) {
		return l.secrets
	}
	type key struct{ path, name string }
	isShared := make(map[key]bool)
	for i, s := range l.secrets {
		if !l.personal[i] {
			isShared[key{s.Place.Path, s.Name}] = true
		}
	}
	kept := l.secrets[:0]
	for i, s := range l.secrets {
		if !l.personal[i] || !isShared[key{s.Place.Path, s.Name}] {
			kept = append(kept, s)
		}
	}
	return kept
}
