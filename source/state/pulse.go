package state

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"infisync/source"
	"infisync/source/state/disk"
)

// A Beat is what a cycle changes in a state file when the set stays as it was.
type Beat struct {
	LastSync   time.Time // as in File
	ErrorCount int
	PullCount  int
}

// A Pulse notes such cycles in the state file of one scope, as a heartbeat for who
// follows it, without the work that grows with the number of secrets.
//
// As long as nobody else writes the file, the Pulse keeps a second one beside it
// with the same text. A beat is put into that one, and the two change places, in
// one step: who reads sees the one or the other, whole. It is not synced, since an
// older beat after a loss of power harms nobody. After somebody else's write, and
// where two files cannot change places, the file is read and written anew.
//
// A Pulse is not safe for concurrent use. Close it after use.
type Pulse struct {
	stateDir string
	scope    source.Scope

	file  trace // the state file as the last beat left it
	beat  Beat  // what it holds
	parts [3]part
	spare string // path of the second file; empty: there is none
	twin  trace  // that file as the last beat left it
	never bool   // the two cannot change places here
}

// A part is where the text of one of a Beat's fields is.
type part struct{ at, size int }

// NewPulse returns the Pulse of that scope.
func NewPulse(stateDir string, scope source.Scope) *Pulse {
	return &Pulse{stateDir: stateDir, scope: scope}
}

// Beat changes the state file by edit, which may be called more than once. A file
// that names no project gets the scope's projects and environment. Otherwise it is
// like [Update].
func (p *Pulse) Beat(ctx context.Context, edit func(*Beat)) (rebuilt bool, err error) {
	path := Path(p.stateDir, p.scope)
	unlock, err := lock(ctx, path)
	if err != nil {
		return false, err
	}
	defer unlock()
	ours := p.file.left(path)
	if ours && p.swap(path, edit) {
		return false, nil
	}
	data, rebuilt, err := rewrite(path, func(f *File) error {
		p.beat = Beat{f.LastSync, f.ErrorCount, f.PullCount}
		edit(&p.beat)
		f.LastSync, f.ErrorCount, f.PullCount = p.beat.LastSync, p.beat.ErrorCount, p.beat.PullCount
		if f.ProjectIDs == nil {
			f.ProjectIDs, f.Environment = p.scope.Projects(), p.scope.Environment()
		}
		return nil
	})
	p.spare = "" // swept, if there was one
	if err != nil {
		p.file = trace{}
		return rebuilt, err
	}
	p.file = look(path)
	// Not for a file that others write too: each write would make two of it.
	if ours && !p.never {
		p.twinFile(path, data)
	}
	return rebuilt, nil
}

// Close removes the second file. One that stays, as after a kill, is removed by
// whoever writes the state file next.
func (p *Pulse) Close() {
	if p.spare != "" {
		os.Remove(p.spare)
		p.spare = ""
	}
}

// twinFile makes the second file, or none if that fails.
func (p *Pulse) twinFile(path string, data []byte) {
	for i, key := range [...]string{"last_sync", "error_count", "pull_count"} {
		// No other text has a line that begins so: what is nested is indented further.
		key = "\n  \"" + key + "\": "
		at := bytes.Index(data, []byte(key))
		if at < 0 {
			return
		}
		at += len(key)
		p.parts[i] = part{at, bytes.IndexAny(data[at:], ",\n")}
	}
	// A name that disk.Sweep knows.
	spare := filepath.Join(filepath.Dir(path), "."+FileName+strconv.Itoa(os.Getpid()))
	if disk.Create(spare, data) == nil {
		p.spare, p.twin = spare, look(spare)
	}
}

// swap puts the beat into the second file and lets it change places with the
// first. It returns false when the file has to be written anew.
func (p *Pulse) swap(path string, edit func(*Beat)) bool {
	if p.spare == "" || !p.twin.left(p.spare) {
		return false
	}
	beat := p.beat
	edit(&beat)
	if !p.patch(beat) {
		return false
	}
	if err := exchange(p.spare, path); err != nil {
		p.never = true
		return false
	}
	p.beat, p.file, p.twin = beat, look(path), look(p.spare)
	return true
}

// patch writes the beat into the second file. A text that is longer or shorter than
// before has no room there.
func (p *Pulse) patch(beat Beat) bool {
	stamp, err := stamp(beat.LastSync).MarshalJSON()
	if err != nil {
		return false
	}
	texts := [...]string{string(stamp), strconv.Itoa(beat.ErrorCount), strconv.Itoa(beat.PullCount)}
	for i, text := range texts {
		if len(text) != p.parts[i].size {
			return false
		}
	}
	file, err := os.OpenFile(p.spare, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	for i, text := range texts {
		if _, err := file.WriteAt([]byte(text), int64(p.parts[i].at)); err != nil {
			file.Close()
			return false
		}
	}
	return file.Close() == nil
}

// A trace tells whether a file is still as it was when it was looked at. The zero
// trace is that of no file.
type trace struct {
	info    os.FileInfo
	changed int64 // when its content or its name was, in nanoseconds
}

func look(path string) trace {
	info, err := os.Lstat(path)
	if err != nil {
		return trace{}
	}
	return trace{info, changed(info)}
}

// left tells whether nobody touched the file at path.
func (t trace) left(path string) bool {
	if t.info == nil {
		return false
	}
	now := look(path)
	return now.info != nil && os.SameFile(t.info, now.info) && t.changed == now.changed &&
		t.info.Size() == now.info.Size() && t.info.ModTime().Equal(now.info.ModTime())
}
