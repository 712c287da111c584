package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

// FileName is the name of a scope's graph in the scope's folder.
const FileName = "graph.json"

// formatVersion is raised when the file gets another shape.
const formatVersion = 1

// errDamaged is the error for a file that is not a graph of this format.
var errDamaged = errors.New("damaged, or written by a newer infisync")

// A file is what is in graph.json: {"format": 1, "updated": TIME, "entities":
// [ENTITY, …], "relations": [RELATION, …]}, with TIME as RFC 3339 in UTC.
type file struct {
	Format  int       `json:"format"`
	Updated time.Time `json:"updated"`
	Graph
}

// Path is where the graph of that scope is.
func Path(stateDir string, scope source.Scope) string {
	return filepath.Join(stateDir, scope.Folder(), FileName)
}

// Update replaces the graph of the facts' scope by one made of the facts. It
// waits until no other process writes in the scope's folder, which the caller
// must not have locked. A file that is missing is made, with its folder; one
// that is damaged counts as missing, and rebuilt tells of it.
//
// Errors have source.CodeStateDir; when ctx ends first, the error wraps its
// cause. The old file then stays.
func Update(ctx context.Context, stateDir string, facts Facts) (rebuilt bool, err error) {
	err = edit(ctx, Path(stateDir, facts.Scope), func(f *file, damaged bool) bool {
		rebuilt = damaged
		f.Graph, f.Updated = build(facts, f.Graph), facts.At.UTC()
		return true
	})
	return rebuilt, err
}

// Delete takes the secrets of those names, kept in place, and their relations
// out of the graphs of all scopes. A secret that no graph knows is no error. A
// damaged file stays as it is: the next sync replaces it. Errors are those of
// [Update]; what one scope's graph does not allow keeps no other from losing the
// secrets.
func Delete(ctx context.Context, stateDir string, place source.Place, names ...string) error {
	gone := make(map[string]bool) // ID of a secret → to be deleted
	for _, name := range names {
		gone[secretID(place, name)] = true
	}
	paths, err := find(stateDir)
	if err != nil {
		return err
	}
	var failed error
	for _, path := range paths {
		failed = errors.Join(failed, edit(ctx, path, func(f *file, damaged bool) bool {
			had := len(f.Entities)
			f.Entities = slices.DeleteFunc(f.Entities, func(e Entity) bool { return e.Type == TypeSecret && gone[e.ID] })
			f.Relations = slices.DeleteFunc(f.Relations, func(r Relation) bool { return r.fromKey().typ == TypeSecret && gone[r.From] })
			return !damaged && len(f.Entities) < had
		}))
	}
	return failed
}

// Load returns the graphs of all scopes as one. A missing state directory gives
// an empty graph. The paths of files that are damaged are returned beside the
// graph of the rest. An error has source.CodeStateDir.
func Load(stateDir string) (g Graph, damaged []string, err error) {
	paths, err := find(stateDir)
	if err != nil {
		return Graph{}, nil, err
	}
	var files []file
	for _, path := range paths {
		f, err := read(path)
		switch {
		case errors.Is(err, errDamaged):
			damaged = append(damaged, path)
		case errors.Is(err, fs.ErrNotExist):
			// Swept since it was found.
		case err != nil:
			return Graph{}, nil, err
		default:
			files = append(files, f)
		}
	}
	return merge(files), damaged, nil
}

// find returns the paths of the graphs of all scopes, in their order.
func find(stateDir string) ([]string, error) {
	folders, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, source.Errorf(source.CodeStateDir, "looking for graphs: %w", err)
	}
	var paths []string
	for _, folder := range folders {
		path := filepath.Join(stateDir, folder.Name(), FileName)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// edit changes the file at path under the folder's write lock. change gets the
// zero file when there is none or it is damaged, and tells whether to write.
func edit(ctx context.Context, path string, change func(f *file, damaged bool) bool) error {
	unlock, err := disk.Lock(ctx, filepath.Join(filepath.Dir(path), disk.WriteLock))
	if err != nil {
		return source.Errorf(source.CodeStateDir, "changing the graph: %w", err)
	}
	defer unlock()
	disk.Sweep(path)
	f, err := read(path)
	damaged := errors.Is(err, errDamaged)
	if err != nil && !damaged && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !change(&f, damaged) {
		return nil
	}
	f.Format = formatVersion
	var text bytes.Buffer
	if err = source.WriteJSON(&text, f); err == nil {
		err = disk.Replace(path, text.Bytes())
	}
	if err != nil {
		return source.Errorf(source.CodeStateDir, "writing the graph: %w", err)
	}
	return nil
}

// read reads a graph file. It wraps errDamaged and not the decoder's error,
// which may quote what it read.
func read(path string) (file, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return file{}, source.Errorf(source.CodeStateDir, "reading the graph: %w", err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil || f.Format != formatVersion {
		return file{}, source.Errorf(source.CodeStateDir, "graph %q: %w", path, errDamaged)
	}
	return f, nil
}
