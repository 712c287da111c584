package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state"
	"infisync/source/vault"
)

// A store keeps what was pulled: the vault, when there is a key, and the state
// file. A failure to write is said once and stops nothing. A nil store keeps
// nothing.
type store struct {
	dir  string
	said map[source.Code]bool // failures that were said
	seen vault.Seen           // the vault as a start found it, which the first pull changes
	// pulse notes the cycles that change nothing; nil before the first.
	pulse *state.Pulse
	// resealed is the time of pull in the vault, which may be older than the last
	// confirmation by a 304 by Policy.Reseal.
	resealed time.Time
	synced   map[string]time.Time // name → when a pull brought its present value
	former   vault.Key            // whose vault the present key's is to inherit from; zero: none
	swept    time.Time            // the last time; zero: not yet
}

const sweepEvery = 24 * time.Hour

// openStore makes the state directory ready. One that cannot be written is said
// and done without; one that others could write in is an error.
func (s *Syncer) openStore() error {
	if s.opt.StateDir == "" {
		s.opt.Log.Info("no home directory for a vault: running without one")
		return nil
	}
	err := state.Prepare(s.opt.StateDir)
	switch {
	case errors.Is(err, state.ErrNotWritable):
		s.opt.Log.Info(fmt.Sprintf("running without a vault: %v", err))
		return nil
	case err != nil:
		return err
	}
	s.store = &store{dir: s.opt.StateDir, said: make(map[source.Code]bool)}
	return nil
}

// peekVault opens the vault that fits what is known of the scope.
func (s *Syncer) peekVault() (vault.Contents, error) {
	switch {
	case s.store == nil:
		return vault.Contents{}, source.Errorf(source.CodeVaultMissing, "there is no vault without a state directory: name a writable one with --state-dir")
	case s.opt.Key.IsZero():
		return vault.Contents{}, source.Errorf(source.CodeVaultNoKey, "there is no key to open a vault with")
	case settled(s.opt.Known.Places, s.opt.AllProjects):
		scope := s.opt.Known
		return s.store.seen.Open(vault.Path(s.store.dir, s.opt.Key, scope), s.opt.Key, scope)
	}
	found, missed, err := s.findVaults()
	if err != nil {
		return vault.Contents{}, err
	}
	found = slices.DeleteFunc(found, func(f vault.Found) bool {
		a, b := f.Contents.Scope, s.opt.Known
		return a.Recursive != b.Recursive || a.Imports != b.Imports || a.Expand != b.Expand
	})
	return theOnly(found, missed)
}

// findVaults returns the vaults that the key opens and that fit what is known.
// With AllProjects each wanted place stands for any number of places.
func (s *Syncer) findVaults() (found []vault.Found, missed, err error) {
	known := s.opt.Known
	if s.opt.AllProjects {
		known.Places = nil
	}
	return vault.Find(s.opt.StateDir, s.opt.Key, known)
}

// theOnly returns the one vault found; none and several are errors. Missed is why there
// may be none, see vault.Find.
func theOnly(found []vault.Found, missed error) (vault.Contents, error) {
	switch {
	case len(found) == 1:
		return found[0].Contents, nil
	case len(found) == 0 && missed != nil:
		return vault.Contents{}, missed
	case len(found) == 0:
		return vault.Contents{}, source.Errorf(source.CodeVaultMissing, "there is no vault for these settings yet")
	}
	scopes := make([]string, len(found))
	for i, f := range found {
		scopes[i] = describe(f.Contents.Scope)
	}
	return vault.Contents{}, source.Errorf(source.CodeVaultSeveral, "several vaults match the settings: %s", source.Enumerate(scopes, "; "))
}

// describe tells a scope from others by the flags that ask for it.
func describe(scope source.Scope) string {
	var flags []string
	for _, place := range scope.Places {
		flags = append(flags, "--from "+place.String())
	}
	for _, s := range []struct {
		flag        string
		on, usually bool
	}{{"--recursive", scope.Recursive, false}, {"--include-imports", scope.Imports, true}, {"--expand-references", scope.Expand, true}} {
		if s.on != s.usually {
			flags = append(flags, fmt.Sprintf("%s=%t", s.flag, s.on))
		}
	}
	return strings.Join(flags, " ")
}

// useVault makes the vault's copy the current snapshot.
func (s *Syncer) useVault(copy vault.Contents) {
	s.opt.Known, s.places = copy.Scope, copy.Scope.Places
	s.current.From, s.current.Secrets, s.current.Pulled = FromVault, copy.Set, copy.Pulled
	s.takeLocal(copy)
	s.store.resealed = copy.Pulled
}

// takeLocal lays the vault's local values into the snapshot, when asked to.
func (s *Syncer) takeLocal(copy vault.Contents) {
	if !s.opt.WithLocal {
		return
	}
	var secrets []source.Secret
	for name, local := range copy.Local {
		secrets = append(secrets, source.Secret{Name: name, Value: local.Value})
	}
	s.current.Local = source.NewSet(secrets...)
}

// storePull writes the current set to vault and state, and tells what that changed
// in the vault. The vault comes first:
// whoever follows the state file finds in the vault what it announces.
func (s *Syncer) storePull(ctx context.Context) (changes vault.Changes) {
	if s.store == nil {
		return changes
	}
	now := s.current.Pulled
	ctx, cancel := s.writing(ctx)
	defer cancel()
	if !s.opt.Key.IsZero() && s.inherit(ctx) {
		aside, err := s.store.seen.Update(ctx, s.store.dir, s.opt.Key, s.scope(), func(c *vault.Contents) error {
			changes = c.ApplyPull(s.current.Secrets, now)
			s.takeLocal(*c)
			s.store.synced = c.Synced
			return nil
		})
		s.sayAside(aside)
		if s.saidOnce(ctx, err) == nil {
			s.store.resealed = now
		}
	}
	s.writeState(ctx, func(f *state.File) {
		f.Record(s.scope(), s.current.Secrets, s.opt.Hasher, now)
		f.PullCount++
	})
	return changes
}

// sayAside says that a vault which did not open was set aside, if one was.
func (s *Syncer) sayAside(path string) {
	if path != "" {
		s.opt.Log.Warn(fmt.Sprintf("the vault did not open and was kept as %q; a new one is written", path))
	}
}

// storeUnchanged notes that the server confirmed the current set: a heartbeat in
// the state file, and in the vault now and then, since sealing it costs more.
func (s *Syncer) storeUnchanged(ctx context.Context) {
	if s.store == nil {
		return
	}
	if s.current.Pulled.Sub(s.store.resealed) >= s.reseal() {
		s.storePull(ctx)
		return
	}
	s.beat(ctx, func(b *state.Beat) {
		b.LastSync = s.current.Pulled.Truncate(time.Second)
		b.PullCount++
	})
}

// storeDoubted counts a pull that is not believed before the next agrees: a heartbeat
// for who follows the state file. Its time of sync stays, since nobody confirmed what
// the file holds.
func (s *Syncer) storeDoubted(ctx context.Context) {
	if s.store == nil {
		return
	}
	s.beat(ctx, func(b *state.Beat) { b.PullCount++ })
}

// reseal is how old the vault's time of pull may become: little of what a vault
// may be when it is called upon.
func (s *Syncer) reseal() time.Duration {
	if s.opt.MaxStale == 0 {
		return s.opt.Policy.Reseal
	}
	return min(s.opt.Policy.Reseal, s.opt.MaxStale/10)
}

// countError notes a failed cycle in the state file.
func (s *Syncer) countError(ctx context.Context) {
	if s.store == nil || s.places == nil {
		return
	}
	s.beat(ctx, func(b *state.Beat) { b.ErrorCount++ })
}

// beat notes in the state file a cycle that changed nothing else there.
func (s *Syncer) beat(ctx context.Context, edit func(*state.Beat)) {
	if s.store.pulse == nil {
		s.store.pulse = state.NewPulse(s.store.dir, s.scope())
	}
	ctx, cancel := s.writing(ctx)
	defer cancel()
	rebuilt, err := s.store.pulse.Beat(ctx, edit)
	s.wrote(ctx, rebuilt, err)
}

func (s *Syncer) writeState(ctx context.Context, edit func(*state.File)) {
	rebuilt, err := state.Update(ctx, s.store.dir, s.scope(), func(f *state.File) error {
		edit(f)
		return nil
	})
	s.wrote(ctx, rebuilt, err)
}

// wrote says what came of writing the state file.
func (s *Syncer) wrote(ctx context.Context, rebuilt bool, err error) {
	if rebuilt {
		s.opt.Log.Warn("the state file was damaged and is rebuilt")
	}
	s.saidOnce(ctx, err)
}

// writing is ctx for one write: it bounds how long other writers are waited for.
func (s *Syncer) writing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opt.Policy.LockWait)
}

// forgetStart drops what only a start has a use for.
func (s *Syncer) forgetStart() {
	if s.store != nil {
		s.store.seen = vault.Seen{}
	}
}

// closeStore leaves nothing that only a watch needs.
func (s *Syncer) closeStore() {
	if s.store != nil && s.store.pulse != nil {
		s.store.pulse.Close()
	}
}

// saidOnce says a failure to store, once for each kind, and returns it. That ctx was
// cancelled, and a write given up for it, is no failure.
func (s *Syncer) saidOnce(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == context.Canceled {
		return err
	}
	code := source.CodeOf(err)
	s.opt.Metrics.Erred(code)
	if !s.store.said[code] {
		s.store.said[code] = true
		s.opt.Log.Warn(fmt.Sprintf("the pulled secrets could not be stored: %v", err), "code", string(code))
	}
	return err
}

// sweep removes what nobody has used for long, once a day: not at the start, which
// has better to do.
func (s *Syncer) sweep() {
	if s.store == nil || time.Since(s.store.swept) < sweepEvery {
		return
	}
	s.store.swept = time.Now()
	swept, err := state.Sweep(s.store.dir, time.Now())
	if err != nil {
		s.opt.Log.Debug(fmt.Sprintf("sweeping the state directory: %v", err))
	}
	if len(swept) > 0 {
		s.opt.Log.Debug("swept " + source.Enumerate(swept, ", "))
	}
}
