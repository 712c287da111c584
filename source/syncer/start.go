package syncer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/vault"
)

// Start gives the first Snapshot, within the start's time limit. What it logs
// besides a failure is only what the user would not expect: that another source
// than the server answers, and how old it is.
func (s *Syncer) Start(ctx context.Context) (Snapshot, error) {
	snapshot, err := s.start(ctx)
	if err == nil && snapshot.From != FromInherited {
		s.observe(true)
	}
	return snapshot, err
}

func (s *Syncer) start(ctx context.Context) (Snapshot, error) {
	if err := s.readEnvFiles(ctx); err != nil {
		return Snapshot{}, err
	}
	if s.opt.Start == "offline" {
		return s.startOffline(ctx)
	}
	if s.opt.Client == nil {
		return s.startUnconfigured()
	}
	if err := s.openStore(); err != nil {
		return Snapshot{}, err
	}
	copy, err := s.peekVault()
	have := s.have(copy, err)
	atOnce := have
	atOnce.Fallback.Vault = true // to start with it is not to fall back to it
	if s.opt.Start == "vault" && source.Choose(source.CauseOutOfReach, atOnce) == source.AnswerVault {
		s.useVault(copy)
		return s.current, nil
	}
	snapshot, failure := s.startLive(ctx, copy.Set, have)
	if failure == nil || ctx.Err() != nil {
		return snapshot, failure
	}
	s.failedFirst(ctx, failure)
	return s.insteadOf(failure, copy, have, err)
}

func (s *Syncer) startUnconfigured() (Snapshot, error) {
	if s.opt.Nested {
		if s.opt.EnvFiles.Named {
			s.current.From = FromDotenv
			return s.current, nil
		}
		s.opt.Log.Info("started by another infisync, and nothing is configured: the environment is passed on unchanged")
		return Snapshot{From: FromInherited}, nil
	}
	have := source.Have{Dotenv: s.hasEnvFiles(), Fallback: s.opt.Fallback}
	if source.Choose(source.CauseNothingConfigured, have) == source.AnswerDotenv {
		s.opt.Log.Info("no server is configured: using " + s.nameEnvFiles())
		s.current.From = FromDotenv
		return s.current, nil
	}
	return Snapshot{}, source.Errorf(source.CodeNothingConfigured, "neither a server nor a .env file is configured: there are no secrets to start with")
}

// have says what could answer instead of the server.
func (s *Syncer) have(copy vault.Contents, vaultErr error) source.Have {
	return source.Have{
		Vault: vaultErr == nil && !copy.Pulled.IsZero(), Age: time.Since(copy.Pulled), MaxStale: s.opt.MaxStale,
		Dotenv: s.hasEnvFiles(), Fallback: s.opt.Fallback,
	}
}

// startLive pulls within the start's time limit. Before is the vault's set, for
// noticing what was lost.
func (s *Syncer) startLive(ctx context.Context, before source.Set, have source.Have) (Snapshot, error) {
	// Whoever can start otherwise does not wait for a server that is down.
	client, limit := s.opt.Client, s.opt.Policy.PatientStart
	if source.Choose(source.CauseOutOfReach, have) != source.AnswerNone {
		client, limit = client.With(client.Policy().InHaste()), s.opt.Policy.HastyStart
	}
	if s.opt.StartTimeout > 0 {
		limit = s.opt.StartTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer s.waits()()
	shared, err := s.joined(ctx, func() error { return s.firstPull(ctx, client, before) })
	switch {
	case shared != nil:
		s.useVault(*shared)
		s.opt.Log.Debug(fmt.Sprintf("took over %d secrets that another process just pulled", s.current.Secrets.Len()))
		return s.current, nil
	case err == nil:
		return s.current, nil
	case ctx.Err() != nil && source.CodeOf(err) == source.CodeTimeout:
		err = source.Errorf(source.CodeStartupTimeout, "the first pull did not end within %s: %w", limit, err)
	}
	return Snapshot{}, err
}

// waits tells that a first pull begins, and returns what tells that it is over.
func (s *Syncer) waits() (over func()) {
	s.beforeWait()
	if s.opt.Waits == nil {
		return func() {}
	}
	return s.opt.Waits()
}

// beforeWait tells, once, that a start may take long now.
func (s *Syncer) beforeWait() {
	if s.opt.OnWait != nil {
		s.opt.OnWait()
		s.opt.OnWait = nil
	}
}

// firstPull pulls, and stores what it got.
func (s *Syncer) firstPull(ctx context.Context, client *infisical.Client, before source.Set) error {
	p, err := s.pull(ctx, client)
	if err == nil {
		p, err = s.confirmFirst(ctx, p, before)
	}
	if err != nil {
		return err
	}
	s.followSecret(ctx, s.loggedIn)
	s.accept(p, p.set())
	s.opt.Log.Debug(fmt.Sprintf("pulled %d secrets", s.current.Secrets.Len()))
	s.storePull(ctx)
	s.opt.Metrics.Polled(result(!before.Equal(s.current.Secrets)))
	s.tellComplete(before)
	return nil
}

// failureWait is how long a start whose time may be over waits for another process
// that writes, to count that it failed.
const failureWait = time.Second

// failedFirst counts a failed first pull.
func (s *Syncer) failedFirst(ctx context.Context, err error) {
	ctx, cancel := context.WithTimeout(ctx, failureWait)
	defer cancel()
	s.failed(ctx, err)
}

// insteadOf gives what another source answers for a server that failed, or the
// failure itself.
func (s *Syncer) insteadOf(failure error, copy vault.Contents, have source.Have, vaultErr error) (Snapshot, error) {
	code := source.CodeOf(failure)
	cause := source.CauseOf(code)
	switch source.Choose(cause, have) {
	case source.AnswerVault:
		s.useVault(copy)
		s.opt.Log.Warn(fmt.Sprintf("%v; starting with the vault's copy, %s old", failure, age(have.Age)), "code", string(code))
		return s.current, nil
	case source.AnswerDotenv:
		s.opt.Log.Warn(fmt.Sprintf("%v; starting with %s", failure, s.nameEnvFiles()), "code", string(code))
		s.current.From = FromDotenv
		return s.current, nil
	}
	if cause != source.CauseOutOfReach || !have.Fallback.Vault {
		return Snapshot{}, failure
	}
	return Snapshot{}, source.Errorf(code, "%w; %s", failure, whyNoVault(have, vaultErr))
}

// whyNoVault says why the vault did not answer for a server out of reach.
func whyNoVault(have source.Have, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist) && source.CodeOf(err) == source.CodeVaultMissing:
		return "there is no vault yet"
	case err != nil:
		return err.Error()
	case !have.Vault:
		return "the vault holds nothing that was pulled yet"
	case have.Age < 0:
		return "the vault's copy was pulled in the future: was the clock set back?"
	}
	return fmt.Sprintf("the vault's copy is %s old, older than --max-stale %s", age(have.Age), have.MaxStale)
}

// age rounds a duration to what a person wants to know.
func age(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}
