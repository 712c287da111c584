package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

func environ(pairs ...string) Environ {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if n, v, _ := strings.Cut(pair, "="); n == name {
				return v, true
			}
		}
		return "", false
	}
}

func load(t *testing.T, given Given, env Environ, dir string) *Settings {
	t.Helper()
	s, err := Load(Run, given, env, dir)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOrderIsFlagVariableFileDefault(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".infisical.json"), `{"workspaceId":"file-project","defaultEnvironment":"file","defaultSecretPath":"/file"}`)
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		given  Given
		env    Environ
		want   string
		origin string
	}{
		{"flag", Given{"env": {"flag"}}, environ("INFISYNC_ENV=own", "INFISICAL_ENVIRONMENT=field"), "flag", "--env"},
		{"own variable", nil, environ("INFISYNC_ENV=own", "INFISICAL_ENVIRONMENT=field"), "own", "INFISYNC_ENV"},
		{"variable of the field", nil, environ("INFISICAL_ENVIRONMENT=field"), "field", "INFISICAL_ENVIRONMENT"},
		{"an empty variable is not set", nil, environ("INFISYNC_ENV=", "INFISICAL_ENVIRONMENT="), "file", filepath.Join(dir, ".infisical.json")},
		{"last flag", Given{"env": {"a", "b"}}, environ(), "b", "--env"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, test.given, test.env, deep)
			if s.Env != test.want || s.Origin("env") != test.origin {
				t.Errorf("got %q from %q, want %q from %q", s.Env, s.Origin("env"), test.want, test.origin)
			}
			if s.Project != "file-project" || s.Path != "/file" || s.Interval != time.Minute || s.Given("interval") {
				t.Errorf("project %q, path %q, interval %s", s.Project, s.Path, s.Interval)
			}
		})
	}
}

func TestUnreadableSettings(t *testing.T) {
	tests := []struct {
		given Given
		env   Environ
		code  source.Code
		want  string
	}{
		{Given{"interval": {"500ms"}}, environ(), source.CodeUsage, `--interval "500ms" must be at least 1s`},
		{Given{"max-stale": {"7 days"}}, environ(), source.CodeUsage, `--max-stale "7 days" must be a duration such as 500ms, 30s, 5m or 168h`},
		{Given{"exec": {"maybe"}}, environ(), source.CodeUsage, `--exec "maybe" must be true or false`},
		{Given{"start": {"later"}}, environ(), source.CodeUsage, `--start "later" must be one of live, vault, offline`},
		{Given{"fallback": {"none,vault"}}, environ(), source.CodeUsage, `--fallback "none,vault" must be vault, dotenv, vault,dotenv or none`},
		{Given{"from": {"dev", "a:b:c"}}, environ(), source.CodeUsage, `--from "dev,a:b:c" must be [PROJECT:]ENV:/PATH`},
		{Given{"rename": {"A"}}, environ(), source.CodeUsage, `--rename "A" must be OLD=NEW`},
		{Given{"rename": {"A="}}, environ(), source.CodeUsage, `--rename "A=" must be OLD=NEW`},
		{Given{"rename": {":x=B"}}, environ(), source.CodeUsage, `--rename ":x=B" must be OLD=NEW with the name of a secret: no colon, slash or white space around it`},
		{Given{"rename": {"A=9 b"}}, environ(), source.CodeUsage, `--rename "A=9 b" must be OLD=NEW with the name of a variable: no white space and no second =`},
		{Given{"rename": {"A=B=C"}}, environ(), source.CodeUsage, `--rename "A=B=C" must be OLD=NEW with the name of a variable: no white space and no second =`},
		// A variable's text could be anything, a secret too.
		{nil, environ("INFISICAL_SYNC_INTERVAL=hunter2"), source.CodeConfigInvalid, "INFISICAL_SYNC_INTERVAL must be a duration such as 500ms, 30s, 5m or 168h"},
		{nil, environ("INFISYNC_ONCE=hunter2"), source.CodeConfigInvalid, "INFISYNC_ONCE must be true or false"},
	}
	for _, test := range tests {
		_, err := Load(Run, test.given, test.env, t.TempDir())
		if err == nil || err.Error() != test.want || source.CodeOf(err) != test.code {
			t.Errorf("got [%s] %v, want [%s] %s", source.CodeOf(err), err, test.code, test.want)
		}
	}
}

func TestReaders(t *testing.T) {
	s := load(t, Given{
		"preserve-env": {"A,B", "C"}, "rename": {"X=Y", "my-key.Z=W"}, "fallback": {"vault,dotenv"},
		"include-imports": {"false"}, "only": {"DB_*", "X"},
	}, environ("INFISICAL_SYNC_INTERVAL=5", "INFISYNC_EXCEPT=A_*, B_*", "INFISYNC_PRISTINE=true"), t.TempDir())
	want := &Settings{
		PreserveNames: []string{"A", "B", "C"}, Rename: map[string]string{"X": "Y", "my-key.Z": "W"},
		Fallback: source.Fallback{Vault: true, Dotenv: true}, Imports: false, Only: []string{"DB_*", "X"},
		Interval: 5 * time.Minute, Except: []string{"A_*", "B_*"}, Pristine: true,
	}
	got := &Settings{PreserveNames: s.PreserveNames, Rename: s.Rename, Fallback: s.Fallback, Imports: s.Imports,
		Only: s.Only, Interval: s.Interval, Except: s.Except, Pristine: s.Pristine}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if all := load(t, Given{"preserve-env": {"true"}}, environ(), t.TempDir()); !all.PreserveAll {
		t.Error("--preserve-env alone does not preserve all")
	}
}

func TestBranchDecidesEnvironment(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, ".infisical.json")
	write(t, config, `{"workspaceId":"p","defaultEnvironment":"dev","gitBranchToEnvironmentMapping":{"main":"prod","feature/x":"staging"},"domain":"https://elsewhere.example"}`)
	for head, want := range map[string]string{
		"ref: refs/heads/main\n": "prod", "ref: refs/heads/feature/x\n": "staging",
		"ref: refs/heads/other\n": "dev", "0123456789abcdef\n": "dev",
	} {
		write(t, filepath.Join(dir, ".git", "HEAD"), head)
		s := load(t, nil, environ(), dir)
		if s.Env != want {
			t.Errorf("HEAD %q: environment %q, want %q", head, s.Env, want)
		}
		if s.URL != "" || len(s.Notices) != 1 || !strings.Contains(s.Notices[0], "domain") {
			t.Errorf("a committed domain gave the URL %q and the notices %q", s.URL, s.Notices)
		}
	}
	worktree := filepath.Join(dir, "tree")
	write(t, filepath.Join(worktree, ".git"), "gitdir: ../real/worktrees/tree\n")
	write(t, filepath.Join(dir, "real", "worktrees", "tree", "HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(worktree, ".infisical.json"), `{"gitBranchToEnvironmentMapping":{"main":"prod"}}`)
	if s := load(t, nil, environ(), worktree); s.Env != "prod" {
		t.Errorf("in a linked work tree: environment %q, want prod", s.Env)
	}
}

func TestOfficialFileBroken(t *testing.T) {
	for content, want := range map[string]string{
		`{"workspaceId": hunter2}`: "broken at byte 17",
		`{"workspaceId": 7}`:       `"workspaceId" has the wrong type`,
		``:                         "broken at byte 0",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, ".infisical.json"), content)
		_, err := Load(Run, nil, environ(), dir)
		if source.CodeOf(err) != source.CodeConfigInvalid || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want it to end in %q", content, err, want)
		}
	}
	if s := load(t, nil, environ(), func() string {
		dir := t.TempDir()
		write(t, filepath.Join(dir, ".infisical.json"), `{"workspaceId":"p","defaultEnvironment":"","gitBranchToEnvironmentMapping":null}`)
		return dir
	}()); s.Project != "p" || s.Env != "" {
		t.Errorf("project %q, environment %q", s.Project, s.Env)
	}
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "secret"), "  from-file\n")
	write(t, filepath.Join(dir, "creds", "infisical-client-secret"), "from-systemd\n")
	creds := "CREDENTIALS_DIRECTORY=" + filepath.Join(dir, "creds")
	tests := []struct {
		name    string
		given   Given
		env     Environ
		want    string
		notices int
	}{
		{"file first", Given{"client-secret-file": {file}}, environ("INFISICAL_CLIENT_SECRET=from-variable", creds), "from-file", 2},
		{"the same in two places", Given{"client-secret-file": {file}}, environ("INFISICAL_CLIENT_SECRET=from-file "), "from-file", 0},
		{"variable", nil, environ("INFISICAL_CLIENT_SECRET=from-variable", creds), "from-variable", 1},
		{"second variable", nil, environ("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET= v "), "v", 0},
		{"two variables that differ", nil, environ("INFISICAL_CLIENT_SECRET=a", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET=b"), "a", 1},
		{"two variables that agree", nil, environ("INFISICAL_CLIENT_SECRET=a", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET=a"), "a", 0},
		{"systemd", nil, environ(creds), "from-systemd", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, test.given, test.env, dir)
			got, err := s.Credentials.Secret()
			if err != nil || got.Reveal() != test.want {
				t.Errorf("got %q, %v, want %q", got.Reveal(), err, test.want)
			}
			if len(s.Notices) != test.notices {
				t.Errorf("notices %q, want %d", s.Notices, test.notices)
			}
			for _, notice := range s.Notices {
				if strings.Contains(notice, "from-") {
					t.Errorf("a notice holds a secret: %q", notice)
				}
			}
		})
	}
	s := load(t, Given{"client-secret-file": {file}}, environ(), dir)
	write(t, file, "rotated")
	if got, _ := s.Credentials.Secret(); got.Reveal() != "rotated" {
		t.Errorf("after the file changed: %q", got.Reveal())
	}
	write(t, file, " \n")
	if _, err := s.Credentials.Secret(); source.CodeOf(err) != source.CodePartMissing {
		t.Errorf("an empty file gave %v", err)
	}
	if withheld := load(t, nil, environ(creds), dir).Credentials.Withheld(); !slices.Contains(withheld, "CREDENTIALS_DIRECTORY") {
		t.Error("the credentials directory that was read from is left to the child")
	}
	if withheld := load(t, nil, environ("CREDENTIALS_DIRECTORY="+dir), dir).Credentials.Withheld(); slices.Contains(withheld, "CREDENTIALS_DIRECTORY") {
		t.Error("a credentials directory that was not read from is taken from the child")
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		env  []string
		code source.Code
		want string
	}{
		{nil, "", ""},
		{[]string{"INFISICAL_URL=u"}, source.CodePartMissing, "INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET are missing"},
		{[]string{"INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET=s"}, source.CodePartMissing, "INFISICAL_URL is missing"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i"}, source.CodePartMissing, "INFISICAL_CLIENT_SECRET is missing"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_SECRET=s"}, source.CodePartMissing, "INFISICAL_CLIENT_ID is missing"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET= "}, source.CodePartMissing, "the credential from INFISICAL_CLIENT_SECRET is empty"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET_FILE=/nowhere"}, source.CodeConfigInvalid, "(INFISICAL_CLIENT_SECRET_FILE): no such file"},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i", "INFISICAL_CLIENT_SECRET=s"}, "", ""},
		{[]string{"INFISICAL_URL=u", "INFISICAL_TOKEN=t"}, "", ""},
		{[]string{"INFISICAL_URL=u", "INFISICAL_CLIENT_ID=i", "INFISICAL_TOKEN=t"}, "", ""},
		// The outer infisync leaves the URL and takes the credentials out.
		{[]string{"INFISICAL_URL=u", "INFISYNC_RUN=1"}, "", ""},
	}
	for _, test := range tests {
		err := load(t, nil, environ(test.env...), t.TempDir()).Check()
		if source.CodeOf(err) != test.code || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: got [%s] %v, want [%s] … %s", test.env, source.CodeOf(err), err, test.code, test.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	tests := []struct {
		given Given
		env   Environ
		want  []source.Place
		code  source.Code
	}{
		{nil, environ(), nil, ""},
		{Given{"env": {"dev"}, "path": {"a/"}, "project": {"p"}}, environ(), []source.Place{{Project: "p", Environment: "dev", Path: "/a"}}, ""},
		{Given{"from": {"dev:/a", "q:prod"}, "project": {"p"}}, environ("INFISICAL_ENVIRONMENT=x"),
			[]source.Place{{Project: "p", Environment: "dev", Path: "/a"}, {Project: "q", Environment: "prod", Path: "/"}}, ""},
		{Given{"from": {"dev:/a"}, "env": {"dev"}}, environ(), nil, source.CodeUsage},
	}
	for _, test := range tests {
		got, err := load(t, test.given, test.env, t.TempDir()).Places()
		if !slices.Equal(got, test.want) || source.CodeOf(err) != test.code {
			t.Errorf("%v: got %v, %v, want %v, [%s]", test.given, got, err, test.want, test.code)
		}
	}
}

func TestStateDirectory(t *testing.T) {
	for want, env := range map[string]Environ{
		"/x/infisync":              environ("XDG_STATE_HOME=/x", "HOME=/h"),
		"/h/.local/state/infisync": environ("XDG_STATE_HOME=relative", "HOME=/h"),
		"":                         environ(),
	} {
		if got := load(t, nil, env, t.TempDir()).StateDirectory(env); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestTable holds the table itself: names are unique, every setting reads its own
// default, and switches say so.
func TestTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, setting := range Table {
		for _, name := range append([]string{setting.Name, setting.Variable()}, setting.Vars...) {
			if seen[name] {
				t.Errorf("%q stands twice", name)
			}
			seen[name] = true
		}
		if setting.Help == "" || setting.Group == "" || setting.On == 0 {
			t.Errorf("--%s lacks its help, its group or its commands", setting.Name)
		}
		if setting.Default != "" {
			if wrong := setting.read(&Settings{})([]string{setting.Default}); wrong != "" {
				t.Errorf("--%s does not read its default: is not %s", setting.Name, wrong)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	s := load(t, nil, environ(`INFISICAL_CUSTOM_HEADERS= a=1  b="2 3" c='4"' d=`), t.TempDir())
	got := make(map[string]string)
	for name, value := range s.Credentials.Headers() {
		got[name] = value.Reveal()
	}
	if want := map[string]string{"a": "1", "b": "2 3", "c": `4"`, "d": ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"hunter2", "=hunter2", `hunter2="1`, "hunter2 b=1"} {
		_, err := Load(Run, nil, environ("INFISICAL_CUSTOM_HEADERS="+bad), t.TempDir())
		if source.CodeOf(err) != source.CodeConfigInvalid || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q gave %v", bad, err)
		}
	}
	if !slices.Contains(s.Credentials.Withheld(), "INFISICAL_CUSTOM_HEADERS") {
		t.Error("the headers are left to the child")
	}
}
