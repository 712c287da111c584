package vault

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"infisync/source"
)

// Rekey brings what the vault of an old key holds over to that of a new one for
// the same scope, and then removes the old vault. When both are one key, with
// other readers, the vault is sealed anew. aside is as in Update; so are errors,
// with source.CodeVaultMissing and CodeVaultKey about the old vault, which is
// left as it is then.
func Rekey(ctx context.Context, stateDir string, from, to Key, scope source.Scope) (aside string, err error) {
	return bringOver(ctx, stateDir, from, to, scope, false)
}

// Inherit is like Rekey and leaves the old vault as it is, for those who have only
// its key. To do it twice is to do it once.
func Inherit(ctx context.Context, stateDir string, from, to Key, scope source.Scope) (aside string, err error) {
	return bringOver(ctx, stateDir, from, to, scope, true)
}

func bringOver(ctx context.Context, stateDir string, from, to Key, scope source.Scope, keep bool) (aside string, err error) {
	if to.IsZero() {
		return "", errNoKey()
	}
	unlock, err := lock(ctx, stateDir, scope)
	if err != nil {
		return "", err
	}
	defer unlock()
	oldPath, newPath := Path(stateDir, from, scope), Path(stateDir, to, scope)
	old, err := Open(oldPath, from, scope)
	if err != nil {
		return "", err
	}
	same := oldPath == newPath
	aside, err = new(Seen).updateLocked(newPath, to, scope, func(c *Contents) error {
		if !same {
			c.adopt(old)
		}
		return nil
	})
	if err != nil || same || keep {
		return aside, err
	}
	for _, path := range []string{oldPath, markerPath(oldPath)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return aside, source.Errorf(source.CodeStateDir, "removing the old key's vault: %w", err)
		}
	}
	return aside, nil
}

// adopt makes c what it would be had it followed old: of two values for a name,
// the one in c counts; of two pulled sets, the one pulled last.
func (c *Contents) adopt(old Contents) {
	if c.Pulled.After(old.Pulled) {
		old.ApplyPull(c.Set, c.Pulled)
		for name, synced := range c.Synced {
			if synced.Before(old.Synced[name]) {
				put(&old.Synced, name, synced)
			}
		}
	}
	for name, previous := range c.Previous {
		put(&old.Previous, name, previous)
	}
	for name, orphan := range c.Orphans {
		if _, kept := old.Get(name); !kept {
			put(&old.Orphans, name, orphan)
		}
	}
	for name, local := range c.Local {
		put(&old.Local, name, local)
	}
	for _, deleted := range c.Deleted {
		if !slices.ContainsFunc(old.Deleted, deleted.is) {
			old.Deleted = append(old.Deleted, deleted)
		}
	}
	slices.SortStableFunc(old.Deleted, func(a, b Deleted) int { return a.At.Compare(b.At) })
	*c = old
}
