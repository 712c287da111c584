package config

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"infisync/source"
)

// FuzzOfficial holds the reading of .infisical.json to this: whatever a repository
// commits under that name, the settings are read, or it is an error that names the
// file and quotes nothing of it. It never sets where credentials are sent, never is
// a credential, and shapes nothing but project, environment and path.
func FuzzOfficial(f *testing.F) {
	seeds := []string{
		`{"workspaceId":"63ee5410a45f7a1ed39ba118","defaultEnvironment":"dev","gitBranchToEnvironmentMapping":null}`,
		`{"workspaceId":"p","defaultEnvironment":"dev","gitBranchToEnvironmentMapping":{"main":"prod"},"defaultSecretPath":"/a"}`,
		"\ufeff" + `{"domain":"https://evil.example/api","url":"https://evil.example","client-id":"x","client-secret":"y","token":"z"}`,
		`{"workspaceId":7}`, `{"gitBranchToEnvironmentMapping":{"main":["hunter2"]}}`, `["hunter2"]`, `"hunter2"`, `null`, ``, `{`, `{"workspaceId":"a\u0000b"}`,
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	git := filepath.Join(dir, ".git")
	if err := os.Mkdir(git, 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(git, "HEAD"), []byte("ref: refs/heads/main\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, officialName)
	// All that an error may say behind the path.
	reason := regexp.MustCompile(`^(` +
		`".*\.infisical\.json" is larger than 1 MiB` +
		`|".*\.infisical\.json" is not the JSON that the official CLI writes: (broken at byte \d+|it is not an object` +
		`|"(workspaceId|defaultEnvironment|defaultSecretPath|gitBranchToEnvironmentMapping|domain)" has the wrong type)` +
		`)$`)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(Run, nil, environ(), dir)
		if err != nil {
			if s != nil {
				t.Error("settings beside an error")
			}
			if source.CodeOf(err) != source.CodeConfigInvalid || !reason.MatchString(err.Error()) {
				t.Errorf("error [%s] %q", source.CodeOf(err), err)
			}
			return
		}
		if s.Configured() || s.URL != "" || s.ClientSecretFile != "" || s.CAFile != "" || s.VaultKeyFile != "" || s.StateDir != "" {
			t.Errorf("the file set a server, a credential or a file: %q %q", s.URL, s.ClientID)
		}
		for _, setting := range Table {
			if name := setting.Name; s.Origin(name) == path && name != "project" && name != "env" && name != "path" {
				t.Errorf("the file set %q", name)
			}
		}
		for _, notice := range s.Notices {
			if notice != `the domain in "`+path+`" is ignored: set INFISICAL_URL` {
				t.Errorf("notice %q", notice)
			}
		}
	})
}
