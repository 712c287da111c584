package vault

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"

	"infisync/source"
)

// A Seen remembers what the vault held that it opened last, so that an Update that
// follows need not open it again, if nobody wrote it in between. The zero Seen
// remembers nothing. Not safe for concurrent use.
type Seen struct {
	path     string
	key      string            // the ID of the key that opened it
	sum      [sha256.Size]byte // of the whole file
	contents Contents
}

// Open is like [Open]. It always reads the file.
func (s *Seen) Open(path string, key Key, scope source.Scope) (Contents, error) {
	sealed, err := read(path, key)
	if err != nil {
		return Contents{}, err
	}
	sum, id := sha256.Sum256(sealed), key.ID()
	if s.path != path || s.key != id || s.sum != sum {
		contents, err := unsealed(path, sealed, key)
		if err != nil {
			return Contents{}, err
		}
		*s = Seen{path, id, sum, contents}
	}
	if !sameScope(s.contents.Scope, scope) {
		return Contents{}, errScope(path, s.contents.Scope)
	}
	return s.contents.clone(), nil
}

// Update is like [Update]. Afterwards nothing is remembered.
func (s *Seen) Update(ctx context.Context, stateDir string, key Key, scope source.Scope, edit func(*Contents) error) (aside string, err error) {
	unlock, err := lock(ctx, stateDir, scope)
	if err != nil {
		return "", err
	}
	defer unlock()
	return s.updateLocked(Path(stateDir, key, scope), key, scope, edit)
}

// clone returns contents that can be changed without changing c.
func (c Contents) clone() Contents {
	c.Synced, c.Previous, c.Orphans, c.Local = maps.Clone(c.Synced), maps.Clone(c.Previous), maps.Clone(c.Orphans), maps.Clone(c.Local)
	c.Deleted = slices.Clone(c.Deleted)
	return c
}
