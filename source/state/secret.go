package state

import (
	"errors"
	"strconv"
	"time"

	"infisync/source"
)

// A Secret is one secret's entry in a File.
type Secret struct {
	Hash       string    // see Hasher
	Version    int       // the server's; 0: not known
	LastSynced time.Time // UTC, whole seconds: when a sync brought its present value; zero: not known

	unknown fields
}

// UnmarshalJSON reads a secret's entry.
func (s *Secret) UnmarshalJSON(data []byte) error {
	*s = Secret{}
	r := source.JSONReader{Rest: data}
	if usual := readSecret(&r); r.Done() {
		*s = usual
		return nil
	}
	all, err := parseFields(data)
	if err != nil {
		return err
	}
	err = errors.Join(
		take(all, "hash", &s.Hash),
		take(all, "version", &s.Version),
		take(all, "last_synced", (*stamp)(&s.LastSynced)),
	)
	s.unknown = all
	return err
}

// MarshalJSON returns a secret's entry.
func (s Secret) MarshalJSON() ([]byte, error) {
	return marshalObject(s.unknown,
		member{"hash", s.Hash},
		member{"version", s.Version},
		member{"last_synced", stamp(s.LastSynced)},
	)
}

// usual tells whether the entry is one that infisync made, and holds nothing else. There
// may be thousands; see source/json.go.
func (s Secret) usual() bool {
	return len(s.unknown) == 0 && isHex(s.Hash) && !s.LastSynced.IsZero()
}

// appendUsual appends the usual entry as it is in a File's text.
func (s Secret) appendUsual(text []byte) []byte {
	text = append(append(append(text, "{\n      \"hash\": \""...), s.Hash...), "\",\n      \"version\": "...)
	text = append(strconv.AppendInt(text, int64(s.Version), 10), ",\n      \"last_synced\": \""...)
	return append(s.LastSynced.UTC().AppendFormat(text, time.RFC3339), "\"\n    }"...)
}

// readSecret reads the usual entry.
func readSecret(r *source.JSONReader) (s Secret) {
	r.Skip(`{`)
	r.Skip(`"hash":`)
	s.Hash = r.Text()
	r.Skip(`,`)
	r.Skip(`"version":`)
	s.Version = r.Int()
	r.Skip(`,`)
	r.Skip(`"last_synced":`)
	s.LastSynced = r.Time()
	r.Skip(`}`)
	if !isHex(s.Hash) || s.LastSynced.Nanosecond() != 0 {
		r.Fail()
	}
	return s
}

// isHex tells whether a text is not empty and of lower-case hex digits only.
func isHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return text != ""
}
