package state

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

const (
	// keepUntouched is how long a folder or a vault that nobody writes is kept.
	keepUntouched = 30 * 24 * time.Hour

	// sweptPrefix begins the name of a folder that is being removed.
	sweptPrefix = ".swept-"
)

// Sweep removes scopes' folders, and single vaults in them, that nobody wrote
// for 30 days before now, and returns their paths. A folder in which a process
// is registered stays, and so does what is marked by a ….local file as holding
// local values: those exist nowhere else. What is remembered of logins goes after
// a day. Errors have source.CodeStateDir; what one folder does not allow keeps no
// other from being swept.
func Sweep(stateDir string, now time.Time) ([]string, error) {
	here, elsewhere, err := readRegister(stateDir)
	if err != nil {
		return nil, err
	}
	busy := make(map[string]bool) // name of folder → somebody is registered
	for _, entry := range append(here, elsewhere...) {
		busy[entry.Folder] = true
	}
	folders, err := os.ReadDir(stateDir)
	if err != nil {
		return nil, source.Errorf(source.CodeStateDir, "sweeping the state directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	failed := sweepLogins(ctx, stateDir, now)
	var swept []string
	for _, folder := range folders {
		path := filepath.Join(stateDir, folder.Name())
		switch {
		case strings.HasPrefix(folder.Name(), sweptPrefix):
			// Left by a process killed in sweepFolder.
			failed = errors.Join(failed, os.RemoveAll(path))
		case !folder.IsDir() || !isScopeFolder(folder.Name()) || busy[folder.Name()]:
		default:
			paths, err := sweepFolder(path, now)
			swept, failed = append(swept, paths...), errors.Join(failed, err)
		}
	}
	if failed != nil {
		return swept, source.Errorf(source.CodeStateDir, "sweeping the state directory: %w", failed)
	}
	return swept, nil
}

// isScopeFolder tells whether name ends as source.Scope.Folder makes names.
func isScopeFolder(name string) bool {
	i := strings.LastIndexByte(name, '-')
	return i > 0 && len(name)-i == 9 && strings.Trim(name[i+1:], "0123456789abcdef") == ""
}

// sweepFolder removes the folder, or else those vaults in it, that nobody wrote.
func sweepFolder(folder string, now time.Time) ([]string, error) {
	if old, err := untouchedIn(folder, now); len(old) == 0 {
		return nil, err
	}
	// A lock that is taken means that somebody writes there after all.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	unlock, err := disk.Lock(ctx, filepath.Join(folder, disk.WriteLock))
	if err != nil {
		return nil, nil
	}
	defer unlock()
	old, err := untouchedIn(folder, now)
	if err != nil {
		return nil, err
	}
	for i, path := range old {
		if err := remove(path, path == folder); err != nil {
			return old[:i], err
		}
	}
	return old, nil
}

// remove removes a file, or a folder: that at once for others, who then make a
// new one.
func remove(path string, folder bool) error {
	if !folder {
		return os.Remove(path)
	}
	swept := filepath.Join(filepath.Dir(path), sweptPrefix+filepath.Base(path))
	if err := os.Rename(path, swept); err != nil {
		return err
	}
	return os.RemoveAll(swept)
}

// untouchedIn returns what can go: the folder itself, or vaults in it, those
// set aside included. A folder in which nobody ever took the lock to write, or
// with folders in it, is somebody else's.
func untouchedIn(folder string, now time.Time) ([]string, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	whole, ours := true, false
	marked := make(map[string]bool) // begin of a vault's name → it holds local values
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".local"); ok {
			marked[name] = true
		}
		ours = ours || file.Name() == disk.WriteLock
		// Locks are as old as the folder: taking one does not touch it.
		whole = whole && !file.IsDir() && untouched(file, now)
	}
	if !ours {
		return nil, nil
	}
	if whole && len(marked) == 0 {
		return []string{folder}, nil
	}
	var old []string
	for _, file := range files {
		vault, _, isVault := strings.Cut(file.Name(), ".age")
		if isVault && strings.HasPrefix(vault, "vault.") && !marked[vault] && untouched(file, now) {
			old = append(old, filepath.Join(folder, file.Name()))
		}
	}
	return old, nil
}

// untouched tells whether the file was written for the last time more than
// keepUntouched before now. One that cannot be looked at was touched.
func untouched(file fs.DirEntry, now time.Time) bool {
	info, err := file.Info()
	return err == nil && now.Sub(info.ModTime()) > keepUntouched
}
