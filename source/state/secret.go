package state

import (
	"bytes"
	"errors"
	"strconv"
	"time"
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
	if s.readUsual(data) {
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
	if len(s.unknown) == 0 && isHex(s.Hash) && !s.LastSynced.IsZero() {
		return s.appendUsual(make([]byte, 0, 160)), nil
	}
	return marshalObject(s.unknown,
		member{"hash", s.Hash},
		member{"version", s.Version},
		member{"last_synced", stamp(s.LastSynced)},
	)
}

// The usual entry is one that infisync wrote itself and that holds nothing else. There
// may be thousands, and the JSON library takes its time for each; whatever is not quite
// usual is left to it.

// appendUsual appends the usual entry. Hash must be hex, LastSynced not zero.
func (s Secret) appendUsual(text []byte) []byte {
	text = append(append(append(text, `{"hash":"`...), s.Hash...), `","version":`...)
	text = append(strconv.AppendInt(text, int64(s.Version), 10), `,"last_synced":"`...)
	return append(s.LastSynced.UTC().AppendFormat(text, time.RFC3339), `"}`...)
}

// readUsual reads the usual entry, and returns false, and leaves s as it was, when data
// is none.
func (s *Secret) readUsual(data []byte) bool {
	r := usualReader{rest: data}
	r.skip("{")
	r.skip(`"hash"`)
	r.skip(":")
	hash := r.until('"', '"')
	r.skip(",")
	r.skip(`"version"`)
	r.skip(":")
	number := r.until(0, ',')
	r.skip(`"last_synced"`)
	r.skip(":")
	at := r.until('"', '"')
	r.skip("}")
	version, err1 := strconv.Atoi(string(number))
	synced, err2 := time.Parse(time.RFC3339, string(at))
	// Its own texts only: Atoi and Parse take more than JSON does.
	if r.failed || len(r.rest) > 0 || !isHex(string(hash)) || err1 != nil || strconv.Itoa(version) != string(number) ||
		err2 != nil || synced.UTC().Format(time.RFC3339) != string(at) {
		return false
	}
	s.Hash, s.Version, s.LastSynced = string(hash), version, synced.UTC()
	return true
}

// A usualReader goes through a text from part to part, with blanks between them.
type usualReader struct {
	rest   []byte
	failed bool
}

func (r *usualReader) skip(part string) {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(r.rest, " \n"), []byte(part))
	r.rest, r.failed = rest, r.failed || !ok
}

// until returns what is before the end, and behind the begin unless that is 0.
func (r *usualReader) until(begin, end byte) []byte {
	if begin != 0 {
		r.skip(string(begin))
	} else {
		r.skip("")
	}
	text, rest, ok := bytes.Cut(r.rest, []byte{end})
	r.rest, r.failed = rest, r.failed || !ok
	return text
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
