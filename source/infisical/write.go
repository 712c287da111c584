package infisical

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"infisync/source"
)

// An Item is one secret to be written. The server keeps what [Normalize] makes of
// the value.
type Item struct {
	Name  string
	Value source.Value
}

// A Result tells what a write did.
type Result struct {
	Versions map[string]int // name → version that it has now, or had when it was deleted
	Approval *Approval      // not nil: nothing is changed before someone approves
}

// An Approval is a change that waits for someone.
type Approval struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	Status string `json:"status"`
}

// Create writes a secret that is not there yet. Errors: one that is [ErrExists];
// place-not-found; [*UnknownOutcome]; request-refused, access-denied and what else
// can go wrong with any request.
func (s *Session) Create(ctx context.Context, place source.Place, item Item) (Result, error) {
	if !addressable(item.Name) {
		return s.CreateAll(ctx, place, []Item{item})
	}
	w := newWrite(http.MethodPost, "creating", place, item)
	if err := w.checkNames(); err != nil {
		return Result{}, err
	}
	w.body["secretValue"] = item.Value.Reveal()
	return s.write(ctx, w, func(v version) string { return v.secret(item.Name) })
}

// Update gives a secret a new value. The server counts a new version also when
// the value is the same. Errors: secret-not-found, or those of Create.
func (s *Session) Update(ctx context.Context, place source.Place, item Item) (Result, error) {
	if !addressable(item.Name) {
		return s.UpdateAll(ctx, place, []Item{item}, FailOnMissing)
	}
	w := newWrite(http.MethodPatch, "updating", place, item)
	w.body["secretValue"] = item.Value.Reveal()
	return s.write(ctx, w, func(v version) string { return v.secret(item.Name) })
}

// Delete removes a secret. Errors: secret-not-found when it is not there, or those
// of Create.
func (s *Session) Delete(ctx context.Context, place source.Place, name string) (Result, error) {
	if !addressable(name) {
		return s.DeleteAll(ctx, place, []string{name})
	}
	w := newWrite(http.MethodDelete, "deleting", place, Item{Name: name})
	return s.write(ctx, w, func(v version) string { return v.secret(name) })
}

// maxRequest is the most bytes of JSON that the server reads.
const maxRequest = 1 << 20 // 1 MiB

// A write is a change of one or several secrets of one place.
type write struct {
	method string
	doing  string
	place  source.Place
	items  []Item
	batch  bool
	body   map[string]any // besides the place
}

func newWrite(method, verb string, place source.Place, items ...Item) *write {
	place.Path = source.CleanPath(place.Path)
	what := fmt.Sprintf("%d secrets", len(items))
	if len(items) == 1 {
		what = fmt.Sprintf("%q", items[0].Name)
	}
	return &write{
		method: method,
		doing:  fmt.Sprintf("%s %s in %q", verb, what, place),
		place:  place,
		items:  items,
		body:   map[string]any{"type": "shared"},
	}
}

// checkNames refuses what the server refuses for new secrets, or would change.
func (w *write) checkNames() error {
	for _, item := range w.items {
		if err := CheckName(item.Name); err != nil {
			return err
		}
	}
	return nil
}

// CheckName tells whether the server would keep a new secret under exactly this
// name. The error has the code request-refused.
func CheckName(name string) error {
	reason := ""
	switch {
	case strings.TrimFunc(name, trimmed) == "":
		reason = "is empty"
	case strings.TrimFunc(name, trimmed) != name:
		reason = "begins or ends with white space"
	case strings.ContainsAny(name, ":/"):
		reason = "contains a colon or a slash"
	case strings.ContainsRune(name, 0):
		reason = "contains a NUL byte"
	case !utf8.ValidString(name):
		reason = "is not UTF-8"
	default:
		return nil
	}
	return source.Errorf(source.CodeRequestRefused, "secret name %q %s, which the server does not take", name, reason)
}

// write sends a write. It is never sent again by itself once the server may have
// seen it, except for what the server refused.
func (s *Session) write(ctx context.Context, w *write, route func(version) string) (Result, error) {
	secrets := make([]source.Value, 0, len(w.items))
	for _, item := range w.items {
		// JSON cannot carry other bytes, and its encoder would replace them.
		if !utf8.ValidString(item.Value.Reveal()) {
			return Result{}, source.Errorf(source.CodeRequestRefused, "%s: the value of %q is not UTF-8", w.doing, item.Name)
		}
		secrets = append(secrets, item.Value)
	}
	// A longer body ends in a server error that does not say why. The other version's
	// differs by a few bytes.
	if size := len(w.encode(v3)); size > maxRequest {
		return Result{}, source.Errorf(source.CodeRequestRefused, "%s: %d bytes are more than the %d that the server takes", w.doing, size, maxRequest)
	}
	var result Result
	err := s.single(ctx, func(v version) *call {
		c := &call{
			doing:    w.doing,
			method:   w.method,
			path:     route(v),
			body:     w.encode(v),
			secret:   secrets,
			write:    true,
			notFound: source.CodeSecretNotFound,
			read: func(_ *http.Response, body io.Reader) (err error) {
				result, err = w.readResult(body)
				return err
			},
		}
		if w.method == http.MethodDelete {
			// By its documentation the server reads the query; in truth the body.
			c.query = v.placeQuery(w.place)
			c.query.Set("type", "shared")
		}
		return c
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

func (w *write) encode(v version) []byte {
	body := maps.Clone(w.body)
	body[v.projectKey()] = w.place.Project
	body["environment"] = w.place.Environment
	body["secretPath"] = w.place.Path
	text, err := json.Marshal(body)
	if err != nil {
		panic("infisical: strings always marshal: " + err.Error())
	}
	return text
}

// readResult takes names and versions only: an answer to a change repeats the
// values, or an empty one, or the mask.
func (w *write) readResult(body io.Reader) (Result, error) {
	type written struct {
		Name    string `json:"secretKey"`
		Version int    `json:"version"`
	}
	var answer struct {
		Secret   *written  `json:"secret"`
		Secrets  []written `json:"secrets"`
		Approval *Approval `json:"approval"`
	}
	if err := decodeJSON(body, &answer); err != nil {
		return Result{}, err
	}
	if a := answer.Approval; a != nil {
		if a.ID == "" && a.Slug == "" && a.Status == "" {
			return Result{}, errShape
		}
		return Result{Approval: &Approval{
			ID: oneLine(a.ID, maxName), Slug: oneLine(a.Slug, maxName), Status: oneLine(a.Status, maxName),
		}}, nil
	}
	if answer.Secret != nil {
		answer.Secrets = append(answer.Secrets, *answer.Secret)
	}
	if w.batch != (answer.Secret == nil) || answer.Secrets == nil {
		return Result{}, errShape
	}
	result := Result{Versions: make(map[string]int, len(answer.Secrets))}
	for _, s := range answer.Secrets {
		if s.Name == "" {
			return Result{}, errShape
		}
		result.Versions[s.Name] = s.Version
	}
	return result, nil
}
