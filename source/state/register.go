package state

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

const (
	// registerDir is the folder in the state directory with a file per process, and
	// the records of logins.
	registerDir = "run"

	// entryName is the file's name: pid, start, and sums of what the pid counts in,
	// since containers may share the directory, and of the scope's folder.
	entryName = "%d-%d-%08x-%08x.json"
)

// An Entry is what one infisync process tells the others of the child it runs, or
// of a scope that it keeps in step for others.
type Entry struct {
	PID   int    `json:"pid"`   // infisync's own; the child's after --exec, which keeps it
	Start uint64 `json:"start"` // when that process began, in a unit of the system's
	Space string `json:"space"` // what PID counts in: the machine's boot and the container

	Folder      string    `json:"folder"`      // the scope's, in the state directory
	Command     string    `json:"command"`     // the child's argv[0] without its path, never an argument
	Digest      string    `json:"digest"`      // of the set that the child has
	Since       time.Time `json:"since"`       // UTC: when the child was started
	Restarts    int       `json:"restarts"`    // how many children served before this one
	Child       int       `json:"child"`       // pid; 0: none now
	Quarantined bool      `json:"quarantined"` // the newest set failed on probation, the child has the one before
	Refused     bool      `json:"refused"`     // the newest set cannot be given to a child, which has the one before
	Syncs       bool      `json:"syncs"`       // it pulls for others and has no child; Command is then its own

	Interval time.Duration `json:"interval"` // nanoseconds, at which it asks the server; 0: it does not

	Files map[string][]time.Time `json:"files,omitempty"` // as KeepFiles
}

// MarshalJSON writes the entry as encoding/json would, but does not have to find out
// first what an entry consists of: every start writes one.
func (e Entry) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 512)
	b = strconv.AppendInt(append(b, `{"pid":`...), int64(e.PID), 10)
	b = strconv.AppendUint(append(b, `,"start":`...), e.Start, 10)
	b = source.AppendJSON(append(b, `,"space":`...), e.Space)
	b = source.AppendJSON(append(b, `,"folder":`...), e.Folder)
	b = source.AppendJSON(append(b, `,"command":`...), e.Command)
	b = source.AppendJSON(append(b, `,"digest":`...), e.Digest)
	b = append(e.Since.AppendFormat(append(b, `,"since":"`...), time.RFC3339Nano), '"')
	b = strconv.AppendInt(append(b, `,"restarts":`...), int64(e.Restarts), 10)
	b = strconv.AppendInt(append(b, `,"child":`...), int64(e.Child), 10)
	b = strconv.AppendBool(append(b, `,"quarantined":`...), e.Quarantined)
	b = strconv.AppendBool(append(b, `,"refused":`...), e.Refused)
	b = strconv.AppendBool(append(b, `,"syncs":`...), e.Syncs)
	b = strconv.AppendInt(append(b, `,"interval":`...), int64(e.Interval), 10)
	if len(e.Files) > 0 {
		files, err := json.Marshal(e.Files)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"files":`...), files...)
	}
	return append(b, '}'), nil
}

// A Registration is an Entry of this process in the register. It is safe for
// concurrent use.
type Registration struct {
	path    string
	mu      sync.Mutex
	entry   Entry  // guarded by mu
	written []byte // what others see of it; guarded by mu
	gone    bool   // it was removed; guarded by mu
}

// Register puts this process into the register of the state directory, once for
// each Folder that it has to do with. PID, Start and Space of entry are filled in,
// Command is cut to its last element. Errors have source.CodeStateDir.
func Register(stateDir string, entry Entry) (*Registration, error) {
	if stateDir == "" {
		return nil, source.Errorf(source.CodeStateDir, "registering process %d: there is no state directory", os.Getpid())
	}
	if err := Prepare(stateDir); err != nil {
		return nil, err
	}
	var ok bool
	entry.PID, entry.Space = os.Getpid(), pidSpace()
	if entry.Start, ok = processStart(entry.PID); !ok {
		return nil, source.Errorf(source.CodeStateDir, "registering process %d: its start time is not known", entry.PID)
	}
	name := fmt.Sprintf(entryName, entry.PID, entry.Start, sumOf(entry.Space), sumOf(entry.Folder))
	r := &Registration{path: filepath.Join(stateDir, registerDir, name), entry: entry}
	if err := disk.MakeDir(filepath.Dir(r.path)); err != nil {
		return nil, source.Errorf(source.CodeStateDir, "registering process %d: %w", entry.PID, err)
	}
	if err := r.write(); err != nil {
		os.Remove(r.path)
		return nil, err
	}
	return r, nil
}

// Update changes the entry by edit and, if that changed anything, writes it for
// others to see, unless it was removed.
func (r *Registration) Update(edit func(*Entry)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.entry)
	return r.write()
}

// write writes what others do not see yet; the caller holds mu, or nobody else has
// r so far.
func (r *Registration) write() error {
	r.entry.Command = filepath.Base(r.entry.Command)
	r.entry.Since = r.entry.Since.UTC()
	if r.gone {
		return nil
	}
	data, err := r.entry.MarshalJSON()
	if err == nil && bytes.Equal(data, r.written) {
		return nil
	}
	switch {
	case err != nil:
	case r.written == nil: // nobody can have read it: to be found unfinished is not to be found
		err = os.WriteFile(r.path, data, 0o600)
	default:
		err = putUnsynced(r.path, data)
	}
	if err != nil {
		return source.Errorf(source.CodeStateDir, "registering process %d: %w", r.entry.PID, err)
	}
	r.written = data
	return nil
}

// Remove takes the process out of the register, for good; while files are noted,
// only once the process has ended. It may be called twice, and on a nil Registration.
func (r *Registration) Remove() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	if len(r.entry.Files) > 0 {
		return nil // could not be removed: the next process tries
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return source.Errorf(source.CodeStateDir, "taking a process out of the register: %w", err)
	}
	return nil
}

// readRegister returns the entries of the processes that run, by folder and pid, and
// removes those of processes that are gone, with the files they left. Elsewhere are
// those of other containers that share the state directory, and of the machine's
// earlier boots, by the time they were written: whether such a process runs cannot be
// seen, and they go when they were not touched for as long as a folder is kept.
func readRegister(stateDir string) (here, elsewhere []Entry, err error) {
	dir := filepath.Join(stateDir, registerDir)
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, source.Errorf(source.CodeStateDir, "reading the register: %w", err)
	}
	slices.SortStableFunc(files, func(a, b fs.DirEntry) int { return writtenAt(a).Compare(writtenAt(b)) })
	space := pidSpace()
	for _, file := range files {
		if strings.HasSuffix(file.Name(), loginSuffix) {
			continue
		}
		path := filepath.Join(dir, file.Name())
		entry, err := readEntry(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // just removed by its process
		case err != nil || entry.Space != space:
			// An unfinished file of a killed process does not parse either; one
			// that is being written must be left alone.
			if untouched(file, time.Now()) {
				os.Remove(path)
			} else if err == nil {
				elsewhere = append(elsewhere, entry)
			}
		default:
			if start, ok := processStart(entry.PID); ok && start == entry.Start {
				here = append(here, entry)
			} else {
				bury(path, entry)
			}
		}
	}
	slices.SortFunc(here, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Folder, b.Folder), cmp.Compare(a.PID, b.PID))
	})
	return here, elsewhere, nil
}

// writtenAt is when the file was last written; zero: it has just been removed.
func writtenAt(file fs.DirEntry) (at time.Time) {
	if info, err := file.Info(); err == nil {
		at = info.ModTime()
	}
	return at
}

func sumOf(text string) uint32 {
	sum := fnv.New32a()
	sum.Write([]byte(text))
	return sum.Sum32()
}

func readEntry(path string) (Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Entry{}, err
	}
	var entry Entry
	return entry, json.Unmarshal(data, &entry)
}

// putUnsynced replaces a file whole, as others see it. It is not synced, unlike what is
// kept: who is running means nothing once the machine has gone down.
func putUnsynced(path string, data []byte) error {
	unfinished := path + ".new" // nobody else writes it: the path has the process in it
	err := os.WriteFile(unfinished, data, 0o600)
	if err == nil {
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		os.Remove(unfinished)
	}
	return err
}

// Note is Update for who cannot do anything about an error. A nil Registration
// notes nothing.
func (r *Registration) Note(edit func(*Entry)) {
	if r != nil {
		_ = r.Update(edit)
	}
}
