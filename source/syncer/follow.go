package syncer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"infisync/source"
	"infisync/source/state"
	"infisync/source/vault"
)

// lookForVault is how often a start without a server looks whether another
// process has written a vault by now.
const lookForVault = 200 * time.Millisecond

// startOffline takes the one vault that fits and never asks the server. With none
// yet it waits for the process that keeps it, as long as the start may take.
func (s *Syncer) startOffline(ctx context.Context) (Snapshot, error) {
	if s.opt.StateDir == "" {
		return Snapshot{}, source.Errorf(source.CodeVaultMissing, "no state directory to find a vault in: set --state-dir")
	}
	if s.opt.Key.IsZero() {
		return Snapshot{}, source.Errorf(source.CodeVaultNoKey, "no key to open a vault with")
	}
	limit := s.opt.StartTimeout
	if limit == 0 {
		limit = s.opt.Policy.PatientStart
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	copy, err := s.awaitVault(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	s.store = &store{dir: s.opt.StateDir, said: make(map[source.Code]bool)}
	if have := s.have(copy, nil); have.Age < 0 || have.Age > have.MaxStale {
		return Snapshot{}, source.Errorf(source.CodeVaultStale, "%s", whyNoVault(have, nil))
	}
	s.useVault(copy)
	if file, err := state.Read(state.Path(s.store.dir, s.scope())); err == nil {
		s.current.Hasher = s.hasherOf(file)
		if file.Digest() == s.current.Hasher.Digest(s.current.Secrets) {
			s.confirmedBy(file)
		} else {
			s.lookAtVault(ctx) // there is a newer one, or something to say
		}
	}
	return s.current, nil
}

// confirmedBy takes over when the process that keeps the vault last had its set
// confirmed: the vault tells that only now and then.
func (s *Syncer) confirmedBy(file state.File) {
	if file.LastSync.After(s.current.Pulled) {
		s.current.Pulled = file.LastSync
	}
}

func (s *Syncer) awaitVault(ctx context.Context) (vault.Contents, error) {
	said := false
	for {
		found, missed, err := s.findVaults()
		if err != nil {
			return vault.Contents{}, err
		}
		found = slices.DeleteFunc(found, func(f vault.Found) bool {
			return f.Contents.Pulled.IsZero() || s.opt.Fits != nil && !s.opt.Fits(f.Contents.Scope)
		})
		if len(found) > 0 {
			return theOnly(found, nil)
		}
		if !said {
			said = true
			s.beforeWait()
			s.opt.Log.Info(fmt.Sprintf("no vault in %q that this key opens and that matches the settings: waiting for one", s.opt.StateDir))
		}
		select {
		case <-ctx.Done():
			return theOnly(nil, missed)
		case <-time.After(lookForVault):
		}
	}
}

// lookAtVault takes the vault over when the state file announces another set.
func (s *Syncer) lookAtVault(ctx context.Context) bool {
	file, err := state.Read(state.Path(s.store.dir, s.scope()))
	if err != nil {
		return false
	}
	if file.Digest() == s.hasherOf(file).Digest(s.current.Secrets) {
		s.confirmedBy(file)
		return false
	}
	copy, renewed, err := s.announced(ctx, file)
	if err != nil {
		code := source.CodeOf(err)
		s.opt.Metrics.Erred(code)
		if code != s.kind {
			s.kind = code
			s.opt.Log.Warn(fmt.Sprintf("the child keeps its secrets: %v", err), "code", string(code))
		}
		return false
	}
	s.kind = ""
	if copy.Set.Equal(s.current.Secrets) && !renewed {
		return false
	}
	s.useVault(copy)
	s.current.Hasher = s.hasherOf(file)
	return true
}

// announced opens the vault for the set that the state file announces. When the present
// key's does not have it, its keeper may have gone over to another client secret:
// the own one is read anew, and renewed tells whether it gave another key.
func (s *Syncer) announced(ctx context.Context, file state.File) (copy vault.Contents, renewed bool, err error) {
	open := func() error {
		copy, err = vault.Open(vault.Path(s.store.dir, s.opt.Key, s.scope()), s.opt.Key, s.scope())
		if err == nil && s.behind(copy, file) {
			err = source.Errorf(source.CodeVaultStale,
				"the vault that this key opens is of %s, what the state file announces of %s: another process keeps it, with another key",
				copy.Pulled.Format(time.RFC3339), file.LastSync.Format(time.RFC3339))
		}
		return err
	}
	if open() == nil {
		return copy, false, nil
	}
	if s.opt.DeriveKey == nil {
		return copy, false, err
	}
	if _, secret, unread := s.opt.Credential(); unread == nil {
		if renewed = s.followSecret(ctx, secret); renewed {
			open()
		}
	}
	return copy, renewed, err
}

// behind tells whether the vault has an older set than the state file announces. A
// newer one it may have: it is written first.
func (s *Syncer) behind(copy vault.Contents, file state.File) bool {
	return file.LastSync.After(copy.Pulled) && file.Digest() != s.hasherOf(file).Digest(copy.Set)
}

// hasherOf is what the file's hashes were made with: it is for the process that
// writes the file to choose.
func (s *Syncer) hasherOf(file state.File) state.Hasher {
	if file.HashMethod == state.HMAC {
		return state.NewHasher(s.opt.Key.StateKey())
	}
	return state.Hasher{}
}
