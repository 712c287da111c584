// Package vault keeps the last pulled set, and what was set locally, encrypted
// on disk.
//
// There is one vault per scope and key:
//
//	<state-dir>/<scope's folder>/vault.<key's ID>.age    the vault, [Path]
//	<state-dir>/<scope's folder>/vault.<key's ID>.local  there while it holds local values
//	<state-dir>/<scope's folder>/vault.<key's ID>.age.bad-<time>  what did not open
//	<state-dir>/<scope's folder>/write.lock              held for each write
//
// A [Key] is an age X25519 identity: derived from the client secret by
// [DeriveKey], or read from a file by [ParseKey]. Whoever holds it opens the
// vault with the stock `age -d`; what is inside is drawn in format.go.
//
// [Open] reads a vault; [Update] reads, changes and writes it while no other
// process does. A write replaces the whole file: a process killed in it leaves
// the old vault or the new one. What is sealed names its own scope, so that a
// vault copied to another environment's folder is refused. [Find] looks for the
// vaults that a key opens. What a pull does to the [Contents] is
// [Contents.ApplyPull].
//
// Errors name the path and hold neither a key nor a byte of what is sealed.
package vault

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

const (
	// keepBad is how many vaults that did not open are kept beside each vault.
	keepBad = 3

	badTime = "20060102T150405.000000000Z" // sorts by time
)

// Path is where the vault for that key and scope is.
func Path(stateDir string, key Key, scope source.Scope) string {
	return filepath.Join(stateDir, scope.Folder(), fileName(key))
}

func fileName(key Key) string { return "vault." + key.ID() + ".age" }

// Open reads the vault at path and never changes a file. Errors have a code:
// source.CodeVaultMissing (which wraps fs.ErrNotExist), CodeVaultKey for a wrong
// key or a damaged file, which cannot be told apart, CodeVaultScope when what is
// sealed belongs to another scope, CodeVaultFormat when a newer infisync wrote
// it, CodeVaultNoKey for the zero Key, CodeStateDir when it cannot be read.
func Open(path string, key Key, scope source.Scope) (Contents, error) {
	return new(Seen).Open(path, key, scope)
}

// open does what Open does for the vault of any scope.
func open(path string, key Key) (Contents, error) {
	sealed, err := read(path, key)
	if err != nil {
		return Contents{}, err
	}
	return unsealed(path, sealed, key)
}

func read(path string, key Key) (sealed []byte, err error) {
	if key.IsZero() {
		return nil, errNoKey()
	}
	sealed, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, source.Errorf(source.CodeVaultMissing, "no vault yet: %w", err)
	}
	if err != nil {
		return nil, source.Errorf(source.CodeStateDir, "reading the vault: %w", err)
	}
	return sealed, nil
}

// unsealed returns what is sealed in the vault that was read at path.
func unsealed(path string, sealed []byte, key Key) (Contents, error) {
	plain, err := unseal(sealed, key)
	if err != nil {
		return Contents{}, errDamaged(path)
	}
	contents, err := decode(plain)
	if err == nil {
		return contents, nil
	}
	if format := formatOf(plain); format > formatVersion {
		return Contents{}, source.Errorf(source.CodeVaultFormat,
			"vault %q has format %d, this infisync reads up to %d", path, format, formatVersion)
	}
	return Contents{}, errDamaged(path)
}

func errNoKey() error { return source.Errorf(source.CodeVaultNoKey, "no key for the vault") }

// errDamaged wraps no cause: age's and json's errors may quote what they read.
func errDamaged(path string) error {
	return source.Errorf(source.CodeVaultKey, "vault %q: wrong key or damaged file", path)
}

func errScope(path string, scope source.Scope) error {
	return source.Errorf(source.CodeVaultScope, "vault %q belongs to another scope, %s", path, scope.Folder())
}

// Update changes the vault for that key and scope: it waits until no other
// process writes in the scope's folder, reads the vault, calls edit and writes
// what edit made of the Contents. A vault that is missing is made, with its
// folder, from empty Contents. One that does not open is renamed to
// ….bad-<time> before the new one is written, from empty Contents too; aside is
// then its new path.
//
// When edit returns an error, Update returns it and leaves the vault as it was.
// Other errors are as in Open, with source.CodeStateDir for what cannot be
// written; when ctx ends first, the error wraps its cause.
func Update(ctx context.Context, stateDir string, key Key, scope source.Scope, edit func(*Contents) error) (aside string, err error) {
	return new(Seen).Update(ctx, stateDir, key, scope, edit)
}

// lock keeps others from writing in the scope's folder.
func lock(ctx context.Context, stateDir string, scope source.Scope) (unlock func(), err error) {
	unlock, err = disk.Lock(ctx, filepath.Join(stateDir, scope.Folder(), disk.WriteLock))
	if err != nil {
		return nil, source.Errorf(source.CodeStateDir, "changing the vault: %w", err)
	}
	return unlock, nil
}

func (s *Seen) updateLocked(path string, key Key, scope source.Scope, edit func(*Contents) error) (aside string, err error) {
	disk.Sweep(path)
	contents, err := s.Open(path, key, scope)
	*s = Seen{} // it is about to be written
	bad := false
	switch source.CodeOf(err) {
	case "":
	case source.CodeVaultMissing:
		contents.Scope = scope
	case source.CodeVaultKey, source.CodeVaultScope:
		contents.Scope, bad = scope, true
	default:
		return "", err
	}

	hadLocal := len(contents.Local) > 0
	if err := edit(&contents); err != nil {
		return "", err
	}
	contents.Scope = scope
	contents.expire(time.Now())
	sealed, err := seal(contents, key)
	if err != nil {
		return "", err
	}
	if bad {
		if aside, err = setAside(path); err != nil {
			return "", source.Errorf(source.CodeStateDir, "setting a vault aside that does not open: %w", err)
		}
	}
	if err := replace(path, sealed, hadLocal, len(contents.Local) > 0); err != nil {
		return aside, source.Errorf(source.CodeStateDir, "writing the vault: %w", err)
	}
	return aside, nil
}

// replace writes the vault file. The marker of local values is there before the
// first of them and goes after the last: killed in between, the folder is kept
// too long rather than swept too soon.
func replace(path string, sealed []byte, hadLocal, hasLocal bool) error {
	marker := markerPath(path)
	if hasLocal {
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			return err
		}
	}
	if err := disk.Replace(path, sealed); err != nil {
		return err
	}
	if hadLocal && !hasLocal {
		// Best effort: a marker too many only keeps the folder.
		os.Remove(marker)
	}
	return nil
}

// markerPath is where the file is that tells, without the key, that the vault
// holds local values.
func markerPath(path string) string { return strings.TrimSuffix(path, ".age") + ".local" }

// setAside renames a vault that does not open and removes the oldest of those
// that were set aside before it.
func setAside(path string) (string, error) {
	aside := path + ".bad-" + time.Now().UTC().Format(badTime)
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return aside, nil
	}
	var bad []string // oldest first, as ReadDir sorts
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+".bad-") {
			bad = append(bad, entry.Name())
		}
	}
	for _, name := range bad[:max(0, len(bad)-keepBad)] {
		os.Remove(filepath.Join(filepath.Dir(path), name))
	}
	return aside, nil
}

func sameScope(a, b source.Scope) bool {
	return a.URL == b.URL && a.Method == b.Method && a.Identity == b.Identity && slices.Equal(a.Places, b.Places) &&
		a.Recursive == b.Recursive && a.Imports == b.Imports && a.Expand == b.Expand
}
