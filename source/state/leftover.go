package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
		pid, start, space, ok := parseEntryName(file.Name())
		if !ok || space != here {
			continue
		}
		// Of a process that runs nothing is read: every start comes by here.
		if began, ok := processStart(pid); ok && began == start {
			continue
		}
		path := filepath.Join(dir, file.Name())
		var entry Entry
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(`"files":`)) { // few have any
			_ = json.Unmarshal(data, &entry) // an unfinished one says nothing
		}
		bury(path, entry)
	}
}

// parseEntryName reads what entryName writes; fmt would take longer over it than the
// rest of a start over the register.
func parseEntryName(name string) (pid int, start uint64, space uint32, ok bool) {
	parts := strings.Split(strings.TrimSuffix(name, ".json"), "-")
	if len(parts) != 4 {
		return 0, 0, 0, false
	}
	pid, err1 := strconv.Atoi(parts[0])
	start, err2 := strconv.ParseUint(parts[1], 10, 64)
	number, err3 := strconv.ParseUint(parts[2], 16, 32)
	return pid, start, uint32(number), err1 == nil && err2 == nil && err3 == nil
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
