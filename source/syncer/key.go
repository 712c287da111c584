package syncer

import (
	"context"
	"time"

	"infisync/source"
	"infisync/source/state"
	"infisync/source/vault"
)

// followSecret goes over to the key of the client secret in use, when that is another
// than the present key was made of, and tells whether it did. The vault of the key
// before stays where it is: others may still have only that key.
func (s *Syncer) followSecret(ctx context.Context, secret source.Value) bool {
	if s.opt.DeriveKey == nil || secret.Equal(s.opt.KeySecret) {
		return false
	}
	key, err := s.opt.DeriveKey(secret)
	if err != nil {
		s.saidOnce(ctx, err)
		return false
	}
	before := s.opt.Key
	s.opt.Key, s.opt.KeySecret = key, secret
	if s.opt.Hasher.Method() == state.HMAC && !key.IsZero() {
		s.opt.Hasher = state.NewHasher(key.StateKey())
		s.current.Hasher = s.opt.Hasher
	}
	if s.store == nil || key.IsZero() {
		return true
	}
	s.opt.Log.Info("the client secret has changed: from now on the vault is that of its key")
	s.store.resealed = time.Time{} // the next pull writes a vault, whatever it brings
	if s.store.former.IsZero() {
		s.store.former = before
	}
	return true
}

// inherit brings what the key before had in its vault over to that of the present
// one: local values, and what can be restored. It tells whether that is settled.
func (s *Syncer) inherit(ctx context.Context) bool {
	if s.store.former.IsZero() {
		return true
	}
	aside, err := vault.Inherit(ctx, s.store.dir, s.store.former, s.opt.Key, s.scope())
	s.sayAside(aside)
	if ctx.Err() != nil {
		return false
	}
	if source.CodeOf(err) != source.CodeVaultMissing {
		s.saidOnce(ctx, err)
	}
	s.store.former = vault.Key{}
	return true
}
