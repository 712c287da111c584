package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/state"
	"infisync/source/vault"
)

// stateDirectory checks who owns the state directory and who can look into it.
func (c *checkup) stateDirectory(context.Context) Item {
	switch {
	case c.StateDir == "":
		item := warning(source.CodeStateDir, "there is no home directory for one: infisync runs without a vault")
		item.Remedy = "name one with --state-dir"
		return item
	case errors.Is(c.stateErr, state.ErrNotWritable):
		item := warning(source.CodeStateDir, "%v: infisync runs without a vault", c.stateErr)
		item.Remedy = "name another with --state-dir, or let the user that runs infisync write there"
		return item
	case c.stateErr != nil:
		return failed(c.stateErr)
	}
	open, err := openToOthers(c.StateDir)
	switch {
	case err != nil:
		return warning(source.CodeStateDir, "not all of the state directory can be looked at: %v", err)
	case len(open) > 0:
		item := warning(source.CodeStateDir, "others can look into %s", someQuoted(open))
		item.Remedy = fmt.Sprintf("chmod -R go= %q", c.StateDir)
		return item
	}
	return ok("%q belongs to this user alone", c.StateDir)
}

// openToOthers returns what in the state directory, itself included, has a mode
// that lets other users in.
func openToOthers(dir string) ([]string, error) {
	var open []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return gone(err)
		}
		if letsOthersIn(info) {
			open = append(open, path)
		}
		return nil
	})
	return open, err
}

// gone forgives that another process removed a file meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// vault checks that the vault opens with this key, if there is one.
func (c *checkup) vault(context.Context) Item {
	switch {
	case !c.Settings.Configured():
		return skipped("nothing is configured")
	case source.CodeOf(c.KeyErr) == source.CodeVaultNoKey && !c.Settings.Credentials.HasVaultKey():
		return warning(source.CodeVaultNoKey, "%v: infisync runs without a vault", c.KeyErr)
	case c.KeyErr != nil:
		return failed(c.KeyErr)
	case c.StateDir == "" || c.stateErr != nil:
		return skipped("there is no state directory")
	case c.Key.IsZero():
		return warning(source.CodeVaultNoKey, "there is no key: infisync runs without a vault")
	}
	scope, settled := c.scope()
	if !settled {
		return c.anyVault(scope)
	}
	path := vault.Path(c.StateDir, c.Key, scope)
	contents, err := vault.Open(path, c.Key, scope)
	switch others := c.otherVaults(filepath.Dir(path), filepath.Base(path)); {
	case source.CodeOf(err) == source.CodeVaultMissing && len(others) > 0:
		item := warning(source.CodeVaultKey, "no vault of this key yet, but of another key: %s", someQuoted(others))
		item.Remedy = `after a new client secret this is expected; "infisync vault rekey" brings the old values over`
		return item
	case source.CodeOf(err) == source.CodeVaultMissing:
		return ok("no vault yet: nothing was pulled with these settings")
	case err != nil:
		return failed(err)
	}
	age := time.Since(contents.Pulled).Round(time.Second)
	return ok("opens and holds %s, pulled %s ago", count(contents.Set.Len(), "secret"), age)
}

// scope is what a pull with the settings is stored under, and whether all of it
// is known: without the server, projects may not be.
func (c *checkup) scope() (scope source.Scope, settled bool) {
	s := c.Settings
	scope = source.Scope{Places: c.places, Recursive: s.Recursive, Imports: s.Imports, Expand: s.Expand}
	if c.Client != nil && c.Login != nil {
		scope.URL, scope.Method, scope.Identity = c.Client.URL(), c.Login.Method(), c.Login.Identity()
	}
	if c.places != nil {
		return scope, scope.URL != ""
	}
	if s.AllProjects {
		return scope, false
	}
	scope.Places = c.wanted
	settled = scope.URL != "" && len(c.wanted) > 0 && !c.leftOpen()
	return scope, settled
}

// anyVault looks for vaults that fit what is known.
func (c *checkup) anyVault(known source.Scope) Item {
	found, missed, err := vault.Find(c.StateDir, c.Key, known)
	if err != nil {
		return failed(err)
	}
	found = slices.DeleteFunc(found, func(f vault.Found) bool {
		scope := f.Contents.Scope
		return scope.Recursive != known.Recursive || scope.Imports != known.Imports || scope.Expand != known.Expand
	})
	switch {
	case len(found) == 0 && source.CodeOf(missed) == source.CodeVaultMissing:
		return ok("%v", missed)
	case len(found) == 0 && missed != nil:
		return failed(missed)
	case len(found) == 0:
		return ok("no vault yet that this key opens and that matches the settings")
	}
	return ok("this key opens %s that match the settings", count(len(found), "vault"))
}

// otherVaults are the vaults in a scope's folder but for one's own.
func (c *checkup) otherVaults(folder, own string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // not there: no vault yet
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "vault.") && strings.HasSuffix(name, ".age") && name != own {
			names = append(names, name)
		}
	}
	return names
}
