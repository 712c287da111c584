package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"infisync/source"
)

// Found is a vault that Find opened.
type Found struct {
	Path     string
	Contents Contents
}

// Find opens the vaults of all scopes that key opens and known fits, see
// source.Scope.Matches, and returns them by the time of their last pull, newest
// first. Vaults that do not open, and such as lie in another scope's folder, are
// passed over; a missing state directory holds none. It never changes a file.
func Find(stateDir string, key Key, known source.Scope) ([]Found, error) {
	if key.IsZero() {
		return nil, errNoKey()
	}
	folders, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, source.Errorf(source.CodeStateDir, "looking for vaults: %w", err)
	}
	var found []Found
	for _, folder := range folders {
		path := filepath.Join(stateDir, folder.Name(), fileName(key))
		contents, err := open(path, key)
		if err == nil && contents.Scope.Folder() == folder.Name() && contents.Scope.Matches(known) {
			found = append(found, Found{path, contents})
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int { return b.Contents.Pulled.Compare(a.Contents.Pulled) })
	return found, nil
}
