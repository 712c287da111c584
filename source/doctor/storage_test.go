//go:build unix

package doctor_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/vault"
)

func TestStateDirectory(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	wantItem(t, s.run(t), "state-directory", doctor.OK, "", s.dir)

	file := filepath.Join(s.dir, "dev-00000000")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil { // whatever the umask
		t.Fatal(err)
	}
	wantItem(t, s.run(t), "state-directory", doctor.Warning, source.CodeStateDir, file)

	if err := os.Chmod(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	report := s.run(t)
	wantFailed(t, report, "state-directory", source.CodeStateDir, "others can write")
	wantItem(t, report, "login", doctor.OK, "", "")
	wantItem(t, report, "vault", doctor.Skipped, "", "state-directory failed")

	s.dir = filepath.Join(file, "below a file")
	report = s.run(t)
	wantItem(t, report, "state-directory", doctor.Warning, source.CodeStateDir, "--state-dir")
	wantItem(t, report, "login", doctor.OK, "", "")

	s.dir = ""
	report = s.run(t)
	wantItem(t, report, "state-directory", doctor.Warning, source.CodeStateDir, "no home directory")
	wantItem(t, report, "vault", doctor.Skipped, "", "no state directory")
}

// fill puts a vault where a pull with the setup leaves it, and returns its path.
func fill(t *testing.T, server *infisicaltest.Server, s *setup, secret string) string {
	t.Helper()
	key, err := vault.DeriveKey(source.NewValue(secret))
	if err != nil {
		t.Fatal(err)
	}
	scope := source.Scope{URL: server.URL() + "/api", Method: "universal-auth", Identity: s.env["INFISICAL_CLIENT_ID"],
		Places: []source.Place{{Project: server.Project(), Environment: "dev", Path: "/"}}, Imports: true, Expand: true}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = vault.Update(t.Context(), s.dir, key, scope, func(c *vault.Contents) error {
		c.ApplyPull(source.NewSet(source.Secret{Name: "A", Value: source.NewValue(canary)}), time.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return vault.Path(s.dir, key, scope)
}

func TestVault(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	wantItem(t, s.run(t), "vault", doctor.OK, "", "no vault yet")

	other := fill(t, server, s, "another-secret-of-at-least-32-characters")
	wantItem(t, s.run(t), "vault", doctor.Warning, source.CodeVaultKey, filepath.Base(other))

	path := fill(t, server, s, s.env["INFISICAL_CLIENT_SECRET"])
	report := s.run(t)
	wantItem(t, report, "vault", doctor.OK, "", "holds 1 secret,")
	wantSilent(t, report)

	// Without the server and without a project, it is looked for.
	if err := server.Down(); err != nil {
		t.Fatal(err)
	}
	wantItem(t, s.run(t), "vault", doctor.OK, "", "holds 1 secret,")
	wantItem(t, s.with("INFISICAL_PROJECT_ID", "").run(t), "vault", doctor.OK, "", "opens 1 vault that")
	wantItem(t, s.with("INFISYNC_ALL_PROJECTS", "true").run(t), "vault", doctor.OK, "", "opens 1 vault that")
	wantItem(t, s.with("INFISICAL_PROJECT_ID", "").with("INFISICAL_ENVIRONMENT", "prod").run(t), "vault", doctor.OK, "", "no vault yet")

	if err := os.WriteFile(path, []byte("age-encryption.org/v1\ndamaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantItem(t, s.run(t), "vault", doctor.Failed, source.CodeVaultKey, path)

	wantItem(t, s.with("INFISICAL_PROJECT_ID", "").run(t), "vault", doctor.Failed, source.CodeVaultKey, path)
	wantItem(t, s.with("INFISICAL_PROJECT_ID", "").with("INFISICAL_CLIENT_SECRET", "a-third-secret-of-at-least-32-characters").run(t),
		"vault", doctor.OK, "", "2 of another key")

	wantItem(t, s.with("INFISICAL_CLIENT_SECRET", "short-secret").run(t), "vault", doctor.Warning, source.CodeVaultNoKey, "without a vault")
}
