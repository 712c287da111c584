package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"infisync/source"
)

// Found is a vault that Find opened.
type Found struct {
	Path     string
	Contents Contents
}

// Find opens the vaults of all scopes that key opens and known fits, see
// source.Scope.Matches, and returns them by the time of their last pull, newest
// first. A missing state directory holds none. It never changes a file.
//
// Missed is why one that may be wanted is not among them, for whom they do not
// suffice: the first of this key that does not open, or that lies in another scope's
// folder, with the codes of [Open]; else, with source.CodeVaultMissing, that there are
// vaults of other keys only. Nil: there are no others.
func Find(stateDir string, key Key, known source.Scope) (found []Found, missed, err error) {
	if key.IsZero() {
		return nil, nil, errNoKey()
	}
	folders, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, source.Errorf(source.CodeStateDir, "looking for vaults: %w", err)
	}
	others := 0
	for _, folder := range folders {
		path := filepath.Join(stateDir, folder.Name(), fileName(key))
		contents, err := open(path, key)
		may := folder.IsDir() && mayBeOf(folder.Name(), known)
		switch {
		case err == nil && contents.Scope.Folder() != folder.Name():
			err = errScope(path, contents.Scope)
		case err == nil && contents.Scope.Matches(known):
			found = append(found, Found{path, contents})
		case may && source.CodeOf(err) == source.CodeVaultMissing:
			others += countVaults(filepath.Dir(path))
			err = nil
		}
		if may && missed == nil {
			missed = err
		}
	}
	if missed == nil && others > 0 {
		missed = source.Errorf(source.CodeVaultMissing, "no vault that this key opens (%d of another key)", others)
	}
	slices.SortStableFunc(found, func(a, b Found) int { return b.Contents.Pulled.Compare(a.Contents.Pulled) })
	return found, missed, nil
}

// mayBeOf tells whether a folder's name is one that source.Scope.Folder makes for what
// is known so far: it begins with the environment, if that is known, and ends with
// digits that nobody can tell yet.
func mayBeOf(name string, known source.Scope) bool {
	if len(known.Places) == 0 || known.Places[0].Environment == "" {
		return true
	}
	like := known.Folder()
	return len(name) == len(like) && strings.HasPrefix(name, strings.TrimSuffix(like, known.ID()))
}

// countVaults counts the vaults in a folder, of whatever key.
func countVaults(folder string) int {
	files, err := filepath.Glob(filepath.Join(folder, "vault.*.age"))
	if err != nil { // a folder whose name is a pattern is none of ours
		return 0
	}
	return len(files)
}
