package state

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

// FileName is the name of the sync state file in a scope's folder.
const FileName = "infisical_sync_state.json"

// ErrDamaged tells that a state file, or a part of it, could not be understood.
var ErrDamaged = errors.New("damaged state file")

// A File is the content of a sync state file: hashes, never values. The zero
// File is that of a scope never synced. Not safe for concurrent use.
type File struct {
	LastSync    time.Time // UTC, whole seconds; zero: never
	ProjectIDs  []string
	Environment string            // slug; several are separated by commas
	Secrets     map[string]Secret // name → what is known of it
	ErrorCount  int               // failed cycles
	PushCount   int               // secrets written to the server
	PullCount   int               // successful pulls, those included that the next is to confirm
	HashMethod  string            // of the hashes: empty for SHA-256, or HMAC

	unknown fields // keys of the object that are not above
}

// Path is where the state file of that scope is.
func Path(stateDir string, scope source.Scope) string {
	return filepath.Join(stateDir, scope.Folder(), FileName)
}

// Read reads the state file at path. A missing file is an error that wraps
// fs.ErrNotExist. A damaged one is an error that wraps ErrDamaged; the File then
// holds what could be understood, and can be written again once its Secrets are
// filled from the vault. Other errors have source.CodeStateDir.
func Read(path string) (File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return File{}, source.Errorf(source.CodeStateDir, "reading the state file: %w", err)
	}
	var f File
	if err := f.UnmarshalJSON(data); err != nil {
		return f, source.Errorf(source.CodeStateDir, "state file %q: %w", path, ErrDamaged)
	}
	return f, nil
}

// Update changes the state file of that scope: it waits until no other process
// writes in the scope's folder, reads the file, calls edit and writes the file
// anew. A file that is missing, or damaged beyond reading, starts as the zero
// File; rebuilt tells that anything in it was damaged. Keys that are not known
// here stay as they are.
//
// When edit returns an error, Update returns it and writes nothing. Other errors
// have source.CodeStateDir; when ctx ends first, the error wraps its cause.
func Update(ctx context.Context, stateDir string, scope source.Scope, edit func(*File) error) (rebuilt bool, err error) {
	path := Path(stateDir, scope)
	unlock, err := lock(ctx, path)
	if err != nil {
		return false, err
	}
	defer unlock()
	_, rebuilt, err = rewrite(path, edit)
	return rebuilt, err
}

// lock keeps others from writing in the folder of the state file at path.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	unlock, err = disk.Lock(ctx, filepath.Join(filepath.Dir(path), disk.WriteLock))
	if err != nil {
		return nil, source.Errorf(source.CodeStateDir, "changing the state file: %w", err)
	}
	return unlock, nil
}

// rewrite does what Update does for who holds the lock, and returns what it wrote.
func rewrite(path string, edit func(*File) error) (data []byte, rebuilt bool, err error) {
	disk.Sweep(path)
	f, err := Read(path)
	rebuilt = errors.Is(err, ErrDamaged)
	if err != nil && !rebuilt && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	if err := edit(&f); err != nil {
		return nil, rebuilt, err
	}
	data, err = f.MarshalJSON()
	if err == nil {
		err = disk.Replace(path, data)
	}
	if err != nil {
		return nil, rebuilt, source.Errorf(source.CodeStateDir, "writing the state file: %w", err)
	}
	return data, rebuilt, nil
}

// Record makes f the state of set, synced now: a secret whose hash is as before
// keeps its LastSynced and the keys not known here; after another Hasher none is.
// Counters stay.
func (f *File) Record(scope source.Scope, set source.Set, hasher Hasher, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	secrets := make(map[string]Secret, set.Len())
	for secret := range set.All() {
		entry := f.Secrets[secret.Name]
		if hash := hasher.Hash(secret.Name, secret.Value); entry.Hash != hash || entry.LastSynced.IsZero() {
			entry.Hash, entry.LastSynced = hash, now
		}
		entry.Version = secret.Version
		secrets[secret.Name] = entry
	}
	f.LastSync, f.HashMethod = now, hasher.Method()
	f.ProjectIDs, f.Environment, f.Secrets = scope.Projects(), scope.Environment(), secrets
}
