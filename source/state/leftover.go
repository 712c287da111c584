package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"infisync/source"
)

// KeepFiles notes the files that the process has written for its child: their
// paths, and the times at which each may have been written; none of these: at any.
// They replace those noted before. When the process is killed, the next
// [SweepGone] removes them. A nil Registration gives an error with source.CodeStateDir.
func (r *Registration) KeepFiles(files map[string][]time.Time) error {
	if r == nil {
		return source.Errorf(source.CodeStateDir, "this process is not in the register")
	}
	return r.Update(func(entry *Entry) { entry.Files = files })
}

// SweepGone removes the files that killed processes have noted, and takes these out
// of the register. What cannot be removed is left for the next call. An empty
// stateDir stands for none.
func SweepGone(stateDir string) {
	if stateDir == "" {
		return
	}
	dir := filepath.Join(stateDir, registerDir)
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	here := sumOf(pidSpace())
	for _, file := range files {
		var pid int
		var start uint64
		var space, folder uint32
		if n, _ := fmt.Sscanf(file.Name(), entryName, &pid, &start, &space, &folder); n != 4 || space != here {
			continue
		}
		// Of a process that runs nothing is read: every start comes by here.
		if began, ok := processStart(pid); ok && began == start {
			continue
		}
		path := filepath.Join(dir, file.Name())
		entry, _ := readEntry(path) // an unfinished one says nothing
		bury(path, entry)
	}
}

// bury removes the entry of a process that is gone, and the files that it left. One
// that cannot be removed keeps the entry, for the next who comes by.
func bury(path string, entry Entry) {
	for file, times := range entry.Files {
		if err := removeLeft(file, times); err != nil {
			return
		}
	}
	os.Remove(path)
}

// removeLeft removes the file if it was written at one of the times. What others
// have put at its path since then is theirs.
func removeLeft(path string, times []time.Time) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode().IsRegular() && (len(times) == 0 || slices.ContainsFunc(times, info.ModTime().Equal)) {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
