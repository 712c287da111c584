package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"infisync/source"
)

// formatVersion is raised when what is sealed gets another shape. An older one
// is read for ever; a newer one is an error with source.CodeVaultFormat.
const formatVersion = 1

// A vault is an age file (age-encryption.org/v1, binary, not armoured) with one
// X25519 stanza per recipient. Its payload is one JSON object:
//
//	{
//	  "format": 1,
//	  "scope": {"url": …, "method": …, "identity": …, "places": [PLACE, …],
//	            "recursive": false, "imports": true, "expand": true},
//	  "pulled": "2026-01-02T03:04:05Z",
//	  "secrets":  [{"name": …, "value": …, "place": PLACE, "version": 3, "updated": TIME,
//	                "imported": true, "hides": [PLACE, …], "synced": TIME}, …],
//	  "previous": [{"name": …, "value": …, "replaced": TIME}, …],
//	  "orphans":  [{…as in secrets, without "synced"…, "since": TIME}, …],
//	  "local":    [{"name": …, "value": …, "origin": …, "set": TIME}, …],
//	  "deleted":  [{"name": …, "value": …, "origin": …, "at": TIME}, …]
//	}
//
// PLACE is {"project": …, "environment": …, "path": …}; TIME is RFC 3339 in UTC.
// Lists are sorted by name, but "deleted" by time. Zero times, versions and
// flags and empty lists may be left out.
//
// Every text is kept byte for byte: as a JSON string when it is valid UTF-8,
// else as {"base64": "…"}.
type payload struct {
	Format   int              `json:"format"`
	Scope    scopeRecord      `json:"scope"`
	Pulled   time.Time        `json:"pulled,omitzero"`
	Secrets  []secretRecord   `json:"secrets"`
	Previous []previousRecord `json:"previous,omitempty"`
	Orphans  []orphanRecord   `json:"orphans,omitempty"`
	Local    []localRecord    `json:"local,omitempty"`
	Deleted  []deletedRecord  `json:"deleted,omitempty"`
}

type scopeRecord struct {
	URL       text          `json:"url"`
	Method    text          `json:"method"`
	Identity  text          `json:"identity"`
	Places    []placeRecord `json:"places"`
	Recursive bool          `json:"recursive"`
	Imports   bool          `json:"imports"`
	Expand    bool          `json:"expand"`
}

type placeRecord struct {
	Project     text `json:"project"`
	Environment text `json:"environment"`
	Path        text `json:"path"`
}

type secretRecord struct {
	Name     text          `json:"name"`
	Value    text          `json:"value"`
	Place    placeRecord   `json:"place"`
	Version  int           `json:"version,omitzero"`
	Updated  time.Time     `json:"updated,omitzero"`
	Imported bool          `json:"imported,omitzero"`
	Hides    []placeRecord `json:"hides,omitempty"`
	Synced   time.Time     `json:"synced,omitzero"`
}

type previousRecord struct {
	Name     text      `json:"name"`
	Value    text      `json:"value"`
	Replaced time.Time `json:"replaced"`
}

type orphanRecord struct {
	secretRecord
	Since time.Time `json:"since"`
}

type localRecord struct {
	Name   text      `json:"name"`
	Value  text      `json:"value"`
	Origin text      `json:"origin"`
	Set    time.Time `json:"set"`
}

type deletedRecord struct {
	Name   text      `json:"name"`
	Value  text      `json:"value"`
	Origin text      `json:"origin"`
	At     time.Time `json:"at"`
}

// text is a string that JSON keeps byte for byte.
type text string

type base64Text struct {
	Base64 []byte `json:"base64"`
}

// append appends the text as JSON.
func (t text) append(to []byte) ([]byte, error) {
	if source.PlainJSON(string(t)) || utf8.ValidString(string(t)) {
		return source.AppendJSON(to, string(t)), nil
	}
	wrapped, err := json.Marshal(base64Text{[]byte(t)})
	return append(to, wrapped...), err
}

func (t text) MarshalJSON() ([]byte, error) { return t.append(make([]byte, 0, len(t)+2)) }

func (t *text) UnmarshalJSON(data []byte) error {
	if last := len(data) - 1; last > 0 && data[0] == '"' && source.PlainJSON(data[1:last]) {
		*t = text(data[1:last])
		return nil
	}
	if data[0] == '{' {
		var wrapped base64Text
		err := json.Unmarshal(data, &wrapped)
		*t = text(wrapped.Base64)
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}

// encode returns the payload for c.
func encode(c Contents) ([]byte, error) {
	p := payload{Format: formatVersion, Scope: recordScope(c.Scope), Pulled: c.Pulled, Secrets: []secretRecord{}}
	for secret := range c.Set.All() {
		p.Secrets = append(p.Secrets, recordSecret(secret, c.Synced[secret.Name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Previous)) {
		previous := c.Previous[name]
		p.Previous = append(p.Previous, previousRecord{text(name), text(previous.Value.Reveal()), previous.Replaced})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Orphans)) {
		orphan := c.Orphans[name]
		p.Orphans = append(p.Orphans, orphanRecord{recordSecret(orphan.Secret, time.Time{}), orphan.Since})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Local)) {
		local := c.Local[name]
		p.Local = append(p.Local, localRecord{text(name), text(local.Value.Reveal()), text(local.Origin), local.Set})
	}
	for _, deleted := range c.Deleted {
		p.Deleted = append(p.Deleted,
			deletedRecord{text(deleted.Name), text(deleted.Value.Reveal()), text(deleted.Origin), deleted.At})
	}
	return p.write()
}

// decode returns what encode was given. Its errors may quote the payload.
func decode(data []byte) (Contents, error) {
	p, usual := readPayload(data)
	if !usual {
		p = payload{}
		if err := strictly(data, &p); err != nil {
			return Contents{}, err
		}
	}
	if p.Format != formatVersion {
		return Contents{}, errors.New("no format of a vault")
	}
	c := Contents{Scope: p.Scope.scope(), Pulled: p.Pulled}
	var secrets []source.Secret
	for _, r := range p.Secrets {
		secrets = append(secrets, r.secret())
		if !r.Synced.IsZero() {
			put(&c.Synced, string(r.Name), r.Synced)
		}
	}
	c.Set = source.NewSet(secrets...)
	for _, r := range p.Previous {
		put(&c.Previous, string(r.Name), Previous{source.NewValue(string(r.Value)), r.Replaced})
	}
	for _, r := range p.Orphans {
		put(&c.Orphans, string(r.Name), Orphan{r.secret(), r.Since})
	}
	for _, r := range p.Local {
		put(&c.Local, string(r.Name), Local{source.NewValue(string(r.Value)), string(r.Origin), r.Set})
	}
	for _, r := range p.Deleted {
		c.Deleted = append(c.Deleted,
			Deleted{string(r.Name), source.NewValue(string(r.Value)), string(r.Origin), r.At})
	}
	return c, nil
}

// strictly reads one JSON object of which every field is known: one that is not would be
// lost by the next write.
func strictly(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("more after the payload")
	}
	return nil
}

// formatOf returns the format number of a payload of any format; 0: none.
func formatOf(data []byte) int {
	var p struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(data, &p) != nil {
		return 0
	}
	return p.Format
}

func recordScope(s source.Scope) scopeRecord {
	return scopeRecord{
		URL: text(s.URL), Method: text(s.Method), Identity: text(s.Identity), Places: recordPlaces(s.Places),
		Recursive: s.Recursive, Imports: s.Imports, Expand: s.Expand,
	}
}

func (r scopeRecord) scope() source.Scope {
	return source.Scope{
		URL: string(r.URL), Method: string(r.Method), Identity: string(r.Identity), Places: places(r.Places),
		Recursive: r.Recursive, Imports: r.Imports, Expand: r.Expand,
	}
}

func recordSecret(s source.Secret, synced time.Time) secretRecord {
	return secretRecord{
		Name: text(s.Name), Value: text(s.Value.Reveal()), Place: recordPlace(s.Place), Version: s.Version,
		Updated: s.Updated, Imported: s.Imported, Hides: recordPlaces(s.Hides), Synced: synced,
	}
}

func (r secretRecord) secret() source.Secret {
	return source.Secret{
		Name: string(r.Name), Value: source.NewValue(string(r.Value)), Place: r.Place.place(), Version: r.Version,
		Updated: r.Updated, Imported: r.Imported, Hides: places(r.Hides),
	}
}

func recordPlace(p source.Place) placeRecord {
	return placeRecord{text(p.Project), text(p.Environment), text(p.Path)}
}

func (r placeRecord) place() source.Place {
	return source.Place{Project: string(r.Project), Environment: string(r.Environment), Path: string(r.Path)}
}

func recordPlaces(places []source.Place) []placeRecord {
	var records []placeRecord
	for _, p := range places {
		records = append(records, recordPlace(p))
	}
	return records
}

func places(records []placeRecord) []source.Place {
	var out []source.Place
	for _, r := range records {
		out = append(out, r.place())
	}
	return out
}
