package inject

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A shelf holds the files that children are given. One goroutine uses it.
type shelf struct {
	note  func(map[string][]time.Time) error // as Supervisor.OnFiles
	log   *slog.Logger
	files map[string]shelved // path → what was put there
	told  bool               // somebody was told of files
	said  bool               // that nobody is
}

// A shelved is one file that was put on the shelf.
type shelved struct {
	file File
	info fs.FileInfo
}

// is tells whether a file is the one that was put there, and not another at its path.
func (s shelved) is(info fs.FileInfo) bool {
	return s.info != nil && info.Mode().IsRegular() && os.SameFile(info, s.info)
}

// put makes the files what they should be. Whoever reads one sees its old content
// or the new one, whole; of several, all are written before the first is put in its
// place. When put fails, those that were there before are so again.
func (s *shelf) put(files []File) error {
	var drafts []*draft
	defer func() {
		for _, d := range drafts {
			d.discard()
		}
	}()
	for _, file := range files {
		done, fresh, err := s.look(file)
		if err != nil {
			return err
		}
		if !done {
			drafts = append(drafts, newDraft(file, fresh))
		}
	}
	if len(drafts) == 0 {
		return nil
	}
	s.tell(drafts) // before there is anything to remove
	for _, d := range drafts {
		if err := d.write(); err != nil {
			return err
		}
	}
	s.tell(drafts)
	var before []File
	for _, d := range drafts {
		if err := d.publish(); err != nil {
			if undo := s.put(before); undo != nil {
				s.log.Error("putting the previous secrets back: " + undo.Error())
			}
			return err
		}
		if old, ok := s.files[d.file.Path]; ok {
			before = append(before, old.file)
		}
		s.files[d.file.Path] = shelved{d.file, d.info}
	}
	return nil
}

// look tells whether the file is what it should be already, and else whether there
// is none yet. What somebody else put at its path is an error, or is replaced.
func (s *shelf) look(file File) (done, fresh bool, err error) {
	info, err := os.Lstat(file.Path)
	before := s.files[file.Path]
	ours := err == nil && before.is(info)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, true, nil
	case err != nil:
		return false, false, file.failed(err)
	case ours:
		untouched := info.Size() == before.info.Size() && info.ModTime().Equal(before.info.ModTime())
		return untouched && file.content.Reveal() == before.file.content.Reveal(), false, nil
	case file.replace && info.Mode().IsRegular():
		return false, false, nil
	}
	return false, false, file.taken(info)
}

// tell says which files there are, or may be from now on.
func (s *shelf) tell(drafts []*draft) {
	s.told = true
	all := make(map[string][]time.Time)
	for path, one := range s.files {
		all[path] = []time.Time{one.info.ModTime()}
	}
	for _, d := range drafts {
		all[d.temporary] = []time.Time{}
		if d.info != nil {
			all[d.file.Path] = append(all[d.file.Path], d.info.ModTime())
		}
	}
	if err := s.note(all); err != nil && !s.said {
		s.said = true
		s.log.Warn("if infisync is killed by SIGKILL, nobody removes the secrets' files: " + err.Error())
	}
}

// clear removes the files, but for what others have put in their places.
func (s *shelf) clear() {
	if !s.told {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		info, err := os.Lstat(path)
		if err == nil && s.files[path].is(info) {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Error(fmt.Sprintf("removing the secret's file %q: %v", path, reason(err)))
			continue
		}
		delete(s.files, path)
	}
	s.tell(nil)
}

// A draft is a file that is written beside the place in which it is wanted.
type draft struct {
	file      File
	fresh     bool        // there is nothing yet in its place, and there must be nothing
	temporary string      // path
	out       *os.File    // nil until write
	info      fs.FileInfo // nil until write
}

func newDraft(file File, fresh bool) *draft {
	dir, name := filepath.Split(file.Path)
	return &draft{file: file, fresh: fresh && !file.replace, temporary: fmt.Sprintf("%s.%s.%016x", dir, name, rand.Uint64())}
}

// write makes the draft, which only its owner can read.
func (d *draft) write() (err error) {
	d.out, err = os.OpenFile(d.temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, defaultMode)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("the folder %q is not there", filepath.Dir(d.file.Path))
	}
	if err == nil {
		_, err = d.out.WriteString(d.file.content.Reveal())
	}
	if err == nil {
		d.info, err = d.out.Stat()
	}
	if err != nil {
		return d.file.failed(err)
	}
	return nil
}

// publish puts the draft in its place, for all to read who may. It is not synced:
// after a loss of power there is no child to read it.
func (d *draft) publish() error {
	var err error
	if d.file.Mode != defaultMode {
		err = d.out.Chmod(d.file.Mode)
	}
	if err = errors.Join(err, d.out.Close()); err != nil {
		return d.file.failed(err)
	}
	if !d.fresh {
		if err := os.Rename(d.temporary, d.file.Path); err != nil {
			return d.file.failed(err)
		}
		return nil
	}
	// A rename would replace what somebody puts there just now.
	err = os.Link(d.temporary, d.file.Path)
	if info, statErr := os.Lstat(d.file.Path); errors.Is(err, fs.ErrExist) && statErr == nil {
		return d.file.taken(info)
	}
	if err != nil {
		return d.file.failed(err)
	}
	return nil
}

// discard removes what publish has not moved.
func (d *draft) discard() {
	if d.out != nil {
		_ = d.out.Close() // once more, after publish
		_ = os.Remove(d.temporary)
	}
}

// failed says that the file cannot be written, and why.
func (f File) failed(err error) error {
	what := "the secrets"
	if f.Name != "" {
		what = fmt.Sprintf("secret %q", f.Name)
	}
	return &Error{Code: CodeFile, Text: fmt.Sprintf("writing %s to %q: %v", what, f.Path, reason(err)), Err: err}
}

// taken says that something else is at the file's path.
func (f File) taken(info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return f.failed(errors.New("there is a file that infisync did not write: remove it, or allow its replacement with --file-replace"))
	}
	return f.failed(errors.New("it exists and is not a regular file"))
}

// warnOfDisks says which of the files will not be in memory only.
func warnOfDisks(log *slog.Logger, files []File) {
	var paths []string
	for _, file := range files {
		if onDisk(filepath.Dir(file.Path)) {
			paths = append(paths, fmt.Sprintf("%q", file.Path))
		}
	}
	if len(paths) > 0 {
		log.Warn("secrets are written to a disk, not to a memory file system such as /dev/shm: " + enumerate(paths, ", "))
	}
}
