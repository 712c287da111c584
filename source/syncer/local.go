package syncer

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/dotenv"
	"infisync/source/state"
	"infisync/source/vault"
)

// Vault opens the vault that fits the options. To read it the state directory need
// not be writable.
func (s *Syncer) Vault() (vault.Contents, error) {
	if s.opt.StateDir != "" {
		if err := state.Prepare(s.opt.StateDir); err != nil && !errors.Is(err, state.ErrNotWritable) {
			return vault.Contents{}, err
		}
		s.store = &store{dir: s.opt.StateDir, said: make(map[source.Code]bool)}
	}
	return s.peekVault()
}

// editVault changes the vault that fits the options. One that is not there yet is
// made, when the options name all of its scope.
func (s *Syncer) editVault(ctx context.Context, edit func(*vault.Contents) error) error {
	if err := s.openStore(); err != nil {
		return err
	}
	contents, err := s.peekVault()
	scope := contents.Scope
	if source.CodeOf(err) == source.CodeVaultMissing && s.store != nil && settled(s.opt.Known.Places, s.opt.AllProjects) && s.opt.Known.URL != "" {
		scope, err = s.opt.Known, nil
	}
	if err != nil {
		return err
	}
	_, err = vault.Update(ctx, s.store.dir, s.opt.Key, scope, edit)
	return err
}

// SetLocal keeps values in the vault that were not pulled. Origin says how they
// came, for people.
func (s *Syncer) SetLocal(ctx context.Context, secrets source.Set, origin string) error {
	return s.editVault(ctx, func(c *vault.Contents) error {
		for secret := range secrets.All() {
			c.SetLocal(secret.Name, secret.Value, origin, time.Now())
		}
		return nil
	})
}

// DeleteLocal takes values out of the vault, where they can be restored for 30
// days. A name that is not there is an error, and then nothing is deleted.
func (s *Syncer) DeleteLocal(ctx context.Context, names []string) error {
	return s.editVault(ctx, func(c *vault.Contents) error {
		for _, name := range names {
			if !c.Delete(name, time.Now()) {
				return source.Errorf(source.CodeSecretNotFound, "the vault holds no %q", name)
			}
		}
		return nil
	})
}

// Rekey brings the values of an old key's vault over to the present key's.
func (s *Syncer) Rekey(ctx context.Context, old vault.Key) error {
	if err := s.openStore(); err != nil {
		return err
	}
	before := *s
	before.opt.Key = old
	contents, err := before.peekVault()
	if err != nil {
		return err
	}
	_, err = vault.Rekey(ctx, s.store.dir, old, s.opt.Key, contents.Scope)
	return err
}

// PushFrom says where the values of a push come from: of a .env file all, or those
// named; of standard input one; else of the vault.
type PushFrom struct {
	Names  []string
	All    bool // every local value of the vault
	Dotenv string
	Stdin  io.Reader
}

// Read reads the values.
func (f PushFrom) Read(ctx context.Context, opt Options) (source.Set, error) {
	if err := withoutValues(f.Names); err != nil {
		return source.Set{}, err
	}
	switch {
	case f.Stdin != nil && (len(f.Names) != 1 || f.Dotenv != "" || f.All):
		return source.Set{}, source.Errorf(source.CodeUsage, "--stdin needs exactly one name, and neither --from-dotenv nor --all")
	case f.Dotenv != "" && f.All:
		return source.Set{}, source.Errorf(source.CodeUsage, "--from-dotenv and --all together: choose one")
	case f.Stdin == nil && f.Dotenv == "" && !f.All && len(f.Names) == 0:
		return source.Set{}, source.Errorf(source.CodeUsage, "nothing to push: give names, --from-dotenv FILE or --all")
	case f.Stdin != nil:
		data, err := io.ReadAll(f.Stdin)
		if err != nil {
			return source.Set{}, source.Errorf(source.CodeUsage, "reading the value from standard input: %w", err)
		}
		value := source.NewValue(strings.TrimSuffix(string(data), "\n"))
		if err := notEmpty(value, opt); err != nil {
			return source.Set{}, err
		}
		return source.NewSet(source.Secret{Name: f.Names[0], Value: value}), nil
	case f.Dotenv != "":
		set, err := dotenv.File{Path: f.Dotenv}.Load(ctx)
		if err != nil {
			return source.Set{}, err
		}
		return pick(set, f.Names, f.Dotenv)
	}
	contents, err := New(opt).Vault()
	if err != nil {
		return source.Set{}, err
	}
	return pick(kept(contents, f.All), f.Names, "the vault (besides what is on the server)")
}

// notEmpty refuses an empty value: what was to print it has most likely failed.
func notEmpty(value source.Value, opt Options) error {
	if value.Reveal() == "" && !opt.AllowEmpty {
		return source.Errorf(source.CodeUsage, "the value is empty, and nothing was written: --allow-empty allows it")
	}
	return nil
}

// withoutValues refuses NAME=VALUE, as other tools take it, without repeating the
// value.
func withoutValues(names []string) error {
	for _, name := range names {
		if name, _, both := strings.Cut(name, "="); both {
			return source.Errorf(source.CodeUsage, "%q is given with a value: values never belong on the command line, where others can read them; use standard input or a file", name)
		}
	}
	return nil
}

// kept is what a vault holds and the server does not: its local values and, unless
// only those are asked for, the orphans. What was pulled is on the server, and may
// be there as a reference that its pushed result would replace.
func kept(c vault.Contents, localOnly bool) source.Set {
	var secrets []source.Secret
	if !localOnly {
		for _, orphan := range c.Orphans {
			secrets = append(secrets, orphan.Secret)
		}
	}
	for name, local := range c.Local {
		secrets = append(secrets, source.Secret{Name: name, Value: local.Value})
	}
	return source.NewSet(secrets...)
}

// pick returns the named secrets of set; no names stand for all.
func pick(set source.Set, names []string, where string) (source.Set, error) {
	if len(names) == 0 {
		return set, nil
	}
	var picked []source.Secret
	var err error
	for _, name := range names {
		secret, ok := set.Get(name)
		if !ok {
			err = errors.Join(err, source.Errorf(source.CodeSecretNotFound, "%s holds no %q", where, name))
			continue
		}
		picked = append(picked, secret)
	}
	return source.NewSet(picked...), err
}
