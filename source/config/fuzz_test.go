package config

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

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

// FuzzOwnFile holds the reading of .infisync.yaml to this: whatever a repository
// commits under that name, the settings are read, or it is an error with a line that
// quotes nothing but the name of a key. Only what is in committed is ever set by it, and a
// full reader of YAML reads the same in it.
func FuzzOwnFile(f *testing.F) {
	seeds := []string{
		"env: prod\ninterval: 5m\nrollback: false\n", "\ufeff---\r\n# x\r\nonly: [A, 'b''c', \"d\\\\\"] # y\r\n", "except:\n  - A\n  - 'B'\n\nenv: dev",
		"url: https://evil.example\nclient-id: hunter2", "on-event: curl evil.example", "state-dir: /tmp/evil", "vault-recipient: age1evil",
		"env: &a hunter2\nproject: *a", "<<: *a", "env: |\n  hunter2", "env: !!binary aHVudGVyMg==", "{env: hunter2}", "? env\n: hunter2", "env: a\nenv: b",
		"env: 1e3", "env: 0o17", "env: 2001-01-01", "env: .inf", "env: ~", "env: yes", "restart: no", "env: tRUE", "env: a # b", "env: a#b", "env: a:b", "from: [dev:/a]", "only: ['a' , b,]", "only: [,]",
		"env: \u00a0dev", "env: \u2028x", "env: \x00", "a\tb: c", "env: -1", "env: 'a", "intervall: 5m", "client_secret: hunter2", "DB_PASSWORD=hunter2: x", "", "...",
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path := filepath.Join(dir, OwnName)
	// All that an error may quote: the path, and names made of what names are made of.
	quoted := regexp.MustCompile(`"[^"]*"`)
	harmless := regexp.MustCompile(`^("[A-Za-z_-]{1,32}"|"key: value"|"infisync run --help")$`)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(Run, nil, environ(), dir)
		if err != nil {
			text, named := strings.CutPrefix(err.Error(), strconv.Quote(path))
			if s != nil || source.CodeOf(err) != source.CodeConfigInvalid || !named {
				t.Errorf("settings %v, error [%s] %q", s != nil, source.CodeOf(err), err)
			}
			for _, quote := range quoted.FindAllString(text, -1) {
				if !harmless.MatchString(quote) && !strings.Contains(text, `may stand " or`) {
					t.Errorf("error %q quotes %s", err, quote)
				}
			}
		} else {
			for _, setting := range Table {
				if s.origin[setting.Name].rank == byFile && !slices.Contains(committed, setting.Name) {
					t.Errorf("the file set %q", setting.Name)
				}
			}
			if s.Configured() {
				t.Error("the file set a server or a credential")
			}
		}
		entries, fault := readYAML(data)
		if fault != nil {
			return
		}
		for _, e := range entries {
			compareYAML(t, data, e)
		}
	})
}

// compareYAML demands that another reader of YAML reads an entry alike.
func compareYAML(t *testing.T, data []byte, e entry) {
	t.Helper()
	var all map[string]any
	if err := yaml.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &all); err != nil {
		t.Fatalf("%q was read, but is not YAML: %v", data, err)
	}
	other, isList := all[e.key].([]any)
	if !isList && all[e.key] != nil {
		other = []any{all[e.key]}
	}
	if isList != e.list || len(other) != len(e.scalars) && (isList || !e.scalars[0].isNull()) {
		t.Fatalf("%q: %q is read as %+v, want %v", data, e.key, e.scalars, other)
	}
	for i, want := range other {
		got := e.scalars[i]
		same := !got.quoted // numbers are texts to a setting
		switch want := want.(type) {
		case string:
			same = got.text == want
		case bool:
			same = got.isBool() && strings.EqualFold(got.text, strconv.FormatBool(want))
		case nil:
			same = got.isNull()
		}
		if !same {
			t.Fatalf("%q: %q is read as %+v, want %v", data, e.key, got, want)
		}
	}
}
