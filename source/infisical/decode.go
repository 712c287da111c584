package infisical

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"infisync/source"
)

// errShape is the error of an answer that is JSON, but not what the API sends.
var errShape = errors.New("unexpected JSON")

// decodeJSON reads one JSON value and the end of body after it.
func decodeJSON(body io.Reader, into any) error {
	dec := json.NewDecoder(body)
	if err := dec.Decode(into); err != nil {
		return err
	}
	return atEnd(dec)
}

func atEnd(dec *json.Decoder) error {
	switch _, err := dec.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return errShape
	default:
		return err
	}
}

// eachKey reads an object and calls read for each of its keys; read takes the
// value. A key that comes twice is an error: the two could differ.
func eachKey(dec *json.Decoder, read func(key string) error) error {
	if err := delim(dec, '{'); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok || seen[key] {
			return errShape
		}
		seen[key] = true
		if err := read(key); err != nil {
			return err
		}
	}
	return delim(dec, '}')
}

// eachItem reads an array and calls read for each item; read takes it.
func eachItem(dec *json.Decoder, read func() error) error {
	if err := delim(dec, '['); err != nil {
		return err
	}
	return restOfItems(dec, read)
}

// eachOptional is eachItem for an array that may be null.
func eachOptional(dec *json.Decoder, read func() error) error {
	token, err := dec.Token()
	if err != nil || token == nil {
		return err
	}
	if token != json.Delim('[') {
		return errShape
	}
	return restOfItems(dec, read)
}

func restOfItems(dec *json.Decoder, read func() error) error {
	for dec.More() {
		if err := read(); err != nil {
			return err
		}
	}
	return delim(dec, ']')
}

func delim(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return errShape
	}
	return nil
}

func skip(dec *json.Decoder) error {
	var ignored json.RawMessage
	return dec.Decode(&ignored)
}

// A row is one secret as the server writes it. What is optional may be absent or
// null.
type row struct {
	Project     string  `json:"workspace"` // empty in imports of old servers
	Environment string  `json:"environment"`
	Path        string  `json:"secretPath"` // absent in imports and in single answers
	Type        string  `json:"type"`       // "shared" or "personal"
	Name        string  `json:"secretKey"`
	Value       *string `json:"secretValue"`
	Hidden      bool    `json:"secretValueHidden"`
	Version     int     `json:"version"`
	Updated     stamp   `json:"updatedAt"`
}

// masked stands in the place of a value that the identity may not read.
const masked = "<hidden-by-infisical>"

// check tells whether the row can be believed. With namesOnly its value does not
// matter.
func (r *row) check(namesOnly bool) error {
	if r.Name == "" {
		return errShape
	}
	if namesOnly {
		return nil
	}
	if r.Hidden || (r.Value != nil && *r.Value == masked) {
		return source.Errorf(source.CodeValueMasked, "the server hides the value of %q", r.Name)
	}
	if r.Value == nil {
		return errShape
	}
	return nil
}

// secret is the row as a Secret kept in place. With namesOnly it has no value.
func (r *row) secret(place source.Place, namesOnly bool) source.Secret {
	s := source.Secret{Name: r.Name, Place: place, Version: max(r.Version, 0), Updated: time.Time(r.Updated)}
	if !namesOnly {
		s.Value = source.NewValue(*r.Value)
	}
	return s
}

// A stamp is a time that may be anything: no decision hangs on its being there.
type stamp time.Time

// UnmarshalJSON takes an RFC 3339 time; all else is the zero time.
func (s *stamp) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			*s = stamp(t.UTC())
			return nil
		}
	}
	*s = stamp{}
	return nil
}
