package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// fields are the members of a JSON object: key → value as it was written.
type fields map[string]json.RawMessage

func parseFields(data []byte) (fields, error) {
	var f fields
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, errors.New("null where an object should be")
	}
	return f, nil
}

// take moves the value of key to where to points. A key that is missing or null
// leaves it zero; so does a value of another type, which is an error.
func take[T any](f fields, key string, to *T) error {
	data, ok := f[key]
	delete(f, key)
	if !ok {
		return nil
	}
	var value T
	if err := json.Unmarshal(data, &value); err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	*to = value
	return nil
}

// A member is a key of an object and its value.
type member struct {
	key   string
	value any
}

// marshalObject returns the object of known, in that order, and of what was
// written under keys not known, sorted by key.
func marshalObject(unknown fields, known ...member) ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		known = append(known, member{key, unknown[key]})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	// So that what others wrote keeps its characters.
	encoder.SetEscapeHTML(false)
	separator := "{"
	for _, m := range known {
		text.WriteString(separator)
		separator = ","
		if err := encoder.Encode(m.key); err != nil {
			return nil, err
		}
		text.WriteByte(':')
		if err := encoder.Encode(m.value); err != nil {
			return nil, err
		}
	}
	text.WriteByte('}')
	var indented bytes.Buffer
	if err := json.Indent(&indented, text.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// stamp is a time as the state file has it: RFC 3339, UTC, whole seconds; null
// when it is zero.
type stamp time.Time

func (s stamp) MarshalJSON() ([]byte, error) {
	if time.Time(s).IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(time.Time(s).UTC().Format(time.RFC3339))
}

func (s *stamp) UnmarshalJSON(data []byte) error {
	var at time.Time
	if err := json.Unmarshal(data, &at); err != nil {
		return err
	}
	at = at.UTC()
	if at.Year() < 0 || at.Year() > 9999 {
		return errors.New("a time that has no RFC 3339 form in UTC")
	}
	*s = stamp(at)
	return nil
}
