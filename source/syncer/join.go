package syncer

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"

	"infisync/source"
	"infisync/source/state"
	"infisync/source/state/disk"
	"infisync/source/vault"
)

// pullLock is the name of the file in a scope's folder that is locked for a pull
// which others may take over. It holds the moment at which the last one began.
const pullLock = "pull.lock"

// A moment is when a process was started or a pull began.
type moment struct {
	Boot string
	At   int64 // nanoseconds since the boot
}

// after tells whether m is later than n. Moments of two boots cannot be compared.
func (m moment) after(n moment) bool { return m.Boot != "" && m.Boot == n.Boot && m.At > n.At }

// joined makes starts of one scope share pulls: pulls go one after the other, and
// one that began after this process was started is as good as one of its own.
// Every process that waits finds such a pull after at most two: the one it waited
// for, which may have begun too early, and the next.
//
// It returns the vault that such a pull filled, or else calls pull, which fills it.
// With nothing to share, or no way to, it just calls pull.
func (s *Syncer) joined(ctx context.Context, pull func() error) (*vault.Contents, error) {
	if s.store == nil || s.opt.Key.IsZero() || s.started == 0 || !settled(s.opt.Known.Places, s.opt.AllProjects) {
		return nil, pull()
	}
	boot := state.Boot()
	if boot == "" {
		return nil, pull()
	}
	path := filepath.Join(s.store.dir, s.opt.Known.Folder(), pullLock)
	s.opt.Log.Debug("joining the pulls of this scope")
	unlock, err := disk.Lock(ctx, path)
	if err != nil {
		// Another process pulls for longer than this one may wait, or there is no
		// locking here: pull says what is wrong, if anything is.
		return nil, pull()
	}
	defer unlock()
	if lastPull(path).after(moment{boot, s.started}) {
		scope := s.opt.Known
		contents, err := vault.Open(vault.Path(s.store.dir, s.opt.Key, scope), s.opt.Key, scope)
		if err == nil && !contents.Pulled.IsZero() {
			return &contents, nil
		}
	}
	began := moment{boot, state.SinceBoot()}
	if err := pull(); err != nil {
		return nil, err
	}
	if s.store.resealed.Equal(s.current.Pulled) { // the vault has it
		s.saidOnce(ctx, notePull(path, began))
	}
	return nil, nil
}

// lastPull is when the last pull began that filled the vault; the zero moment when
// that is not known.
func lastPull(path string) moment {
	data, err := os.ReadFile(path)
	r := source.JSONReader{Rest: bytes.TrimSuffix(data, []byte("\n"))}
	var m moment
	r.Skip(`{"boot":`)
	m.Boot = r.Text()
	r.Skip(`,"at":`)
	m.At = r.Int64()
	r.Skip(`}`)
	if err != nil || !r.Done() {
		return moment{}
	}
	return m
}

// notePull writes into the lock file itself, which must stay the same file.
func notePull(path string, began moment) error {
	text := source.AppendJSON([]byte(`{"boot":`), began.Boot)
	text = strconv.AppendInt(append(text, `,"at":`...), began.At, 10)
	if err := os.WriteFile(path, append(text, "}\n"...), 0o600); err != nil {
		return source.Errorf(source.CodeStateDir, "noting a pull: %w", err)
	}
	return nil
}
