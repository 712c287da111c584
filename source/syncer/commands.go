package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/graph"
	"infisync/source/infisical"
	"infisync/source/terminal"
	"infisync/source/vault"
)

// ErrDiffers is what Diff ends with when the two sides differ.
var ErrDiffers = errors.New("the two differ")

// Push writes values from the vault, a file or standard input to the server.
func (u Setup) Push(ctx context.Context, names []string) error {
	opt, err := u.writing("push")
	if err != nil {
		return err
	}
	s := u.Settings
	from := PushFrom{Names: names, All: s.All, Dotenv: s.FromDotenv}
	if s.Stdin {
		from.Stdin = u.In
	}
	secrets, err := from.Read(ctx, opt)
	if err != nil {
		return err
	}
	r, err := New(opt).Push(ctx, PushOptions{
		Secrets: secrets, Normalize: s.Normalize, CreateFolders: s.CreateFolders, DryRun: s.DryRun, Progress: u.progress("pushing"),
	})
	return u.report(r, len(r.Secrets), err)
}

func (u Setup) Delete(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return source.Errorf(source.CodeUsage, "delete needs the names of the secrets")
	}
	opt, err := u.writing("delete")
	if err != nil {
		return err
	}
	if err := u.confirm("delete " + strings.Join(names, ", ") + " on the server"); err != nil {
		return err
	}
	r, err := New(opt).Delete(ctx, DeleteOptions{
		Names: names, Progress: u.progress("deleting"),
		Forget: func(place source.Place, name string) error { return graph.Delete(ctx, opt.StateDir, place, name) },
	})
	return u.report(r, len(r.Secrets), err)
}

// writing returns the options of a command that writes to the server, which must be
// known before values are read or anybody is asked.
func (u Setup) writing(command string) (Options, error) {
	opt, err := u.Options()
	if err == nil && opt.Client == nil {
		err = needsServer(command)
	}
	return opt, err
}

func (u Setup) Projects(ctx context.Context, _ []string) error {
	opt, err := u.Options()
	if err != nil {
		return err
	}
	projects, err := New(opt).Projects(ctx)
	if err != nil {
		return err
	}
	return WriteProjects(u.Out, u.Format("text"), projects)
}

func (u Setup) VaultSet(ctx context.Context, names []string) error {
	name, err := One(names, "the name of the value")
	if err = cmp.Or(err, withoutValues(names)); err != nil {
		return err
	}
	if err := infisical.CheckName(name); err != nil {
		return err
	}
	opt, err := u.Options()
	if err != nil {
		return err
	}
	value, err := terminal.ReadSecret(u.In, u.Err, name+": ")
	if err != nil {
		return err
	}
	if err := notEmpty(value, opt); err != nil {
		return err
	}
	secrets := source.NewSet(source.Secret{Name: name, Value: value})
	return errors.Join(New(opt).SetLocal(ctx, secrets, "set"), u.pushToo(ctx, opt, secrets))
}

func (u Setup) VaultRestore(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return source.Errorf(source.CodeUsage, "restore needs the names of the values")
	}
	opt, err := u.Options()
	if err != nil {
		return err
	}
	restored, err := New(opt).Restore(ctx, names)
	if err != nil {
		return err
	}
	return u.pushToo(ctx, opt, restored)
}

// pushToo sends on to the server what --push asks to.
func (u Setup) pushToo(ctx context.Context, opt Options, secrets source.Set) error {
	if !u.Settings.PushToo {
		return nil
	}
	r, err := New(opt).Push(ctx, PushOptions{Secrets: secrets})
	return u.report(r, len(r.Secrets), err)
}

// report writes what became of names, unless the command failed before there were
// any, and returns its error.
func (u Setup) report(r interface{ Write(io.Writer, string) error }, names int, err error) error {
	if err != nil && names == 0 {
		return err
	}
	return errors.Join(r.Write(u.Out, u.Format("text")), err)
}

// progress shows progress where somebody looks, and nothing elsewhere.
func (u Setup) progress(verb string) func(done, total int) {
	if !u.watched() {
		return nil
	}
	return ShowProgress(u.Err, verb)
}

// waits shows, where somebody looks, that a server takes its time.
func (u Setup) waits() func() (over func()) {
	if !u.watched() {
		return nil
	}
	after := cmp.Or(u.Policy, DefaultPolicy()).Silence
	return func() (over func()) { return terminal.Wait(u.Err, after, "waiting for the server") }
}

// watched tells whether what goes to standard error is read by somebody at a terminal,
// who wants to know more than what goes wrong. Among debug messages a line that is
// written anew would be lost.
func (u Setup) watched() bool {
	return u.Settings.LogFormat == "text" && u.Settings.LogLevel == "info" && terminal.Redraws(u.Err)
}

func (u Setup) VaultGet(_ context.Context, names []string) error {
	name, err := One(names, "the name of the value")
	if err != nil {
		return err
	}
	contents, err := u.openVault()
	if err != nil {
		return err
	}
	value, err := contents.Value(name, u.Settings.Previous)
	if err != nil {
		return err
	}
	_, err = io.WriteString(u.Out, value.Reveal())
	return err
}

func (u Setup) VaultList(context.Context, []string) error {
	contents, err := u.openVault()
	if err != nil {
		return err
	}
	return contents.WriteList(u.Out, u.Format("text"), time.Now())
}

func (u Setup) VaultDelete(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return source.Errorf(source.CodeUsage, "delete needs the names of the values")
	}
	opt, err := u.Options()
	if err != nil {
		return err
	}
	return New(opt).DeleteLocal(ctx, names)
}

func (u Setup) VaultKey(context.Context, []string) error {
	key, err := u.Key()
	if err != nil {
		return err
	}
	if key.IsZero() {
		return source.Errorf(source.CodeVaultNoKey, "no key to open a vault with")
	}
	if err := u.confirm("print the key that opens the vault"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(u.Out, key.Identity().Reveal())
	return err
}

func (u Setup) VaultRekey(ctx context.Context, _ []string) error {
	opt, err := u.Options()
	if err != nil {
		return err
	}
	old, err := u.oldKey()
	if err != nil {
		return err
	}
	return New(opt).Rekey(ctx, old)
}

// oldKey reads the key that a vault had: an age identity, or the client secret it
// was derived from.
func (u Setup) oldKey() (vault.Key, error) {
	if u.Settings.OldSecretFile == "" {
		return vault.Key{}, source.Errorf(source.CodeUsage, "rekey needs the old client secret or key: --old-secret-file FILE")
	}
	text, err := u.Settings.OldSecret()
	if err != nil {
		return vault.Key{}, err
	}
	if strings.Contains(text.Reveal(), "AGE-SECRET-KEY-") {
		return vault.ParseKey(text)
	}
	return vault.DeriveKey(text)
}

func (u Setup) openVault() (vault.Contents, error) {
	opt, err := u.Options()
	if err != nil {
		return vault.Contents{}, err
	}
	return New(opt).Vault()
}

func (u Setup) Diff(ctx context.Context, files []string) error {
	opt, err := u.Options()
	if err != nil {
		return err
	}
	d, err := New(opt).Diff(ctx, files)
	if err != nil {
		return err
	}
	if err := d.Write(u.Out, u.Format("text")); err != nil || !d.Differs() {
		return err
	}
	return ErrDiffers
}

// Format is the output format that was asked for, else usual.
func (u Setup) Format(usual string) string { return cmp.Or(u.Settings.Format, usual) }

// confirm asks on a terminal; without one --yes must have been given.
func (u Setup) confirm(what string) error {
	if u.Settings.Yes {
		return nil
	}
	return terminal.Confirm(u.In, u.Err, what)
}

// One returns the only argument of a command that takes one.
func One(args []string, what string) (string, error) {
	if len(args) != 1 {
		return "", source.Errorf(source.CodeUsage, "expected one argument (%s), got %d", what, len(args))
	}
	return args[0], nil
}
