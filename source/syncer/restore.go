package syncer

import (
	"context"
	"slices"
	"time"

	"infisync/source"
	"infisync/source/vault"
)

// Restore makes the values local ones that were deleted last under the names, and
// returns them under their names. It needs no server: the vault is the one that
// fits Options.Known. A name with nothing to restore is an error with
// source.CodeSecretNotFound, and then none is restored. Other errors are those of
// opening and writing the vault.
func (s *Syncer) Restore(ctx context.Context, names []string) (source.Set, error) {
	if err := s.openStore(); err != nil {
		return source.Set{}, err
	}
	found, err := s.peekVault()
	if err != nil {
		return source.Set{}, err
	}
	k := keeping{syncer: s, at: time.Now()}
	s.places = found.Scope.Places
	var restored []source.Secret
	err = k.update(ctx, func(c *vault.Contents) error {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if !c.Restore(name, k.at) {
				return source.Errorf(source.CodeSecretNotFound, "the vault holds nothing deleted under %q", name)
			}
			value, _ := c.Get(name)
			restored = append(restored, source.Secret{Name: name, Value: value})
		}
		return nil
	})
	if err != nil {
		return source.Set{}, err
	}
	return source.NewSet(restored...), nil
}
