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

// own writes a .infisync.yaml and returns its folder.
func own(t *testing.T, content string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, OwnName), content)
	return dir
}

func TestOwnFileIsBelowVariables(t *testing.T) {
	dir := own(t, "env: own\ninterval: 5m\n")
	official := write(t, filepath.Join(dir, "a", ".infisical.json"), `{"workspaceId":"p","defaultEnvironment":"official"}`)
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	file := `env in "` + filepath.Join(dir, OwnName) + `"`
	tests := []struct {
		name         string
		given        Given
		env          Environ
		want, origin string
	}{
		{"flag", Given{"env": {"flag"}}, environ("INFISICAL_ENVIRONMENT=variable"), "flag", "--env"},
		{"variable", nil, environ("INFISICAL_ENVIRONMENT=variable"), "variable", "INFISICAL_ENVIRONMENT"},
		// Although the official file is nearer.
		{"own file", nil, environ(), "own", file},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, test.given, test.env, deep)
			if s.Env != test.want || s.Origin("env") != test.origin {
				t.Errorf("got %q from %q, want %q from %q", s.Env, s.Origin("env"), test.want, test.origin)
			}
			if s.Interval != 5*time.Minute || s.Project != "p" || s.Origin("project") != official {
				t.Errorf("interval %s, project %q from %q", s.Interval, s.Project, s.Origin("project"))
			}
			want := []string{`"` + filepath.Join(dir, OwnName) + `" sets env, interval`, `"` + official + `" sets env, project`}
			if !slices.Equal(s.Files, want) {
				t.Errorf("files %q, want %q", s.Files, want)
			}
		})
	}
	nearest := write(t, filepath.Join(deep, OwnName), "# nothing\n")
	if s := load(t, nil, environ(), deep); s.Env != "official" || s.Interval != time.Minute || s.Files[0] != `"`+nearest+`" sets nothing` {
		t.Errorf("a nearer file leaves environment %q, interval %s, files %q", s.Env, s.Interval, s.Files)
	}
}

func TestOwnFileForms(t *testing.T) {
	const content = "\ufeff---\r\n" + `# what the team agreed on
env : prod # not dev
path: "/a \"b\" \\c # d"
recursive: true
rollback: False
restart: no
project: 010
only: [DB_*, 'it''s', "a, b",]
except:
- A
- 'B'   # one more

rename: [ ]
`
	s := load(t, nil, environ(), own(t, strings.Replace(content, "rename: [ ]\n", "rename:\n  - OLD=NEW\n  - A=B\npreserve-env: true\nprefix: 'true'", 1)))
	want := &Settings{
		Env: "prod", Path: `/a "b" \c # d`, Recursive: true, Restart: "no", Project: "010", Only: []string{"DB_*", "it's", "a, b"},
		Except: []string{"A", "B"}, Rename: map[string]string{"OLD": "NEW", "A": "B"}, PreserveAll: true, Prefix: "true",
	}
	got := &Settings{Env: s.Env, Path: s.Path, Recursive: s.Recursive, Rollback: s.Rollback, Restart: s.Restart, Project: s.Project,
		Only: s.Only, Except: s.Except, Rename: s.Rename, PreserveAll: s.PreserveAll, Prefix: s.Prefix}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, empty := range []string{"", "\ufeff", "\n\n# env: prod\n", "---\n"} {
		if s := load(t, nil, environ(), own(t, empty)); s.Env != "" || len(s.Files) != 1 {
			t.Errorf("%q gives the environment %q and the files %q", empty, s.Env, s.Files)
		}
	}
}

func TestOwnFileFaults(t *testing.T) {
	tests := []struct{ content, want string }{
		{"intervall: 5m", `line 1: there is no setting "intervall", the nearest is interval`},
		{"\n\nporject: hunter2", `line 3: there is no setting "porject", the nearest is project`},
		{"Keep_Credentials: true", `line 1: there is no setting "Keep_Credentials", the nearest is keep-credentials`},
		{"h4nter2: hunter2", `line 1: there is no such setting: see "infisync run --help"`},
		{"client_secret: hunter2", `line 1: this is not a setting, and credentials do not belong here: remove it, and rotate it if it was committed`},
		{"interval: hunter2", "line 1: interval must be a duration such as 500ms, 30s, 5m or 168h"},
		{"interval: 10ms", "line 1: interval must be at least 1s"},
		{"interval: [1s]", "line 1: interval takes one value, not a list"},
		{"recursive: yes", "line 1: recursive must be true or false"},
		{`recursive: "true"`, "line 1: recursive must be true or false"},
		{"env: true", "line 1: env is not a text: put it in quotes if it is meant as one"},
		{"env:", "line 1: env is given nothing: leave it out"},
		{"env: ~", "line 1: env is given an empty value: leave it out"},
		{"only: []", "line 1: only is given nothing: leave it out"},
		{"only:\n  - A\n  -", "line 3: this list item is empty"},
		{"from: [dev, a:b:c]", "line 1: from must be [PROJECT:]ENV:/PATH"},
		{"env: dev\nenv: prod", "line 2: this key was given before"},
		{"env: dev\n  hunter2", "line 2: it is indented: a key stands at the beginning of its line, and its value behind it"},
		{"only: A\n- B", "line 2: this list item belongs to no key"},
		{"- env", "line 1: this list item belongs to no key"},
		{"only:\n- A\n  - B", "line 3: this list item belongs to no key"},
		{"hunter2", `line 1: it is not "key: value"`},
		{"env:hunter2", `line 1: it is not "key: value"`},
		{"<<: *hunter2", `line 1: it is not "key: value"`},
		{"env: *hunter2", "line 1: it has a meaning of its own in YAML: put it in quotes"},
		{"env: &a hunter2", "line 1: it has a meaning of its own in YAML: put it in quotes"},
		{"env: !!str hunter2", "line 1: it has a meaning of its own in YAML: put it in quotes"},
		{"env: a: b", "line 1: it has a meaning of its own in YAML: put it in quotes"},
		{"only: [A: b]", "line 1: it has a meaning of its own in YAML: put it in quotes"},
		{"only: [A", "line 1: the list is not closed on its line"},
		{"only: ['A' B]", "line 1: a list is written [a, b], on one line"},
		{"env: 'hunter2", "line 1: the quotes are not closed on their line"},
		{`env: "hun\ter2"`, `line 1: behind a backslash may stand " or another backslash`},
		{"env: 'a'#b", "line 1: there is more behind the value: put all of it in quotes"},
		{"env: a\tb", "line 1: it holds a tab or another control character: use blanks"},
		{"# \u2028env: dev", "line 1: it holds a tab or another control character: use blanks"},
		{"env: \xff", "line 1: it is not UTF-8"},
		{"env: dev\n---\nenv: prod", `line 2: it is not "key: value"`},
	}
	for _, test := range tests {
		dir := own(t, test.content)
		_, err := Load(Run, nil, environ(), dir)
		want := `"` + filepath.Join(dir, OwnName) + `" ` + test.want
		if err == nil || err.Error() != want || source.CodeOf(err) != source.CodeConfigInvalid {
			t.Errorf("%q: got [%s] %v, want %s", test.content, source.CodeOf(err), err, want)
		}
	}
	dir := own(t, strings.Repeat("#", maxFile+1))
	if _, err := Load(Run, nil, environ(), dir); err == nil || !strings.HasSuffix(err.Error(), "is larger than 1 MiB") {
		t.Errorf("a file of more than 1 MiB gives %v", err)
	}
}

// TestCommitted: the file may hold what is in committed, and every other setting is
// refused with the reason and the other ways. What starts, opens, writes or reads
// something is not among the committed, nor is what is private.
func TestCommitted(t *testing.T) {
	texts := map[string]string{"from": "dev:/a", "rename": "A=B", "recursive": "true"}
	for _, setting := range Table {
		text := texts[setting.Name]
		switch {
		case text == "" && setting.Switch:
			text = "true"
		case text == "" && setting.Default != "":
			text = setting.Default
		case text == "" && setting.Arg == "DURATION":
			text = "5s"
		case text == "":
			text = "hunter2"
		}
		dir := own(t, setting.Name+": "+text+"\n")
		_, err := Load(Run, nil, environ(), dir)
		if slices.Contains(committed, setting.Name) {
			if err != nil {
				t.Errorf("%s: %v", setting.Name, err)
			}
			powerful := slices.ContainsFunc([]string{"FILE", "DIR", "COMMAND", "URL", "ADDRESS", "HOST", "KEY", "age1"}, func(word string) bool {
				return strings.Contains(setting.Arg, word)
			})
			if setting.Private || powerful || setting.Group == groupServer || setting.Group == groupFrom || setting.Group == groupDo {
				t.Errorf("a committed file may hold %s %s", setting.Name, setting.Arg)
			}
			continue
		}
		variable := append(slices.Clone(setting.Vars), setting.Variable())[0]
		if err == nil || strings.Contains(err.Error(), "hunter2") || source.CodeOf(err) != source.CodeConfigInvalid ||
			!strings.Contains(err.Error(), "line 1: "+setting.Name+" is not allowed in a committed file, since ") ||
			!strings.HasSuffix(err.Error(), ": use --"+setting.Name+" or "+variable) {
			t.Errorf("%s: %v", setting.Name, err)
		}
	}
	for _, name := range committed {
		if !slices.ContainsFunc(Table, func(s Setting) bool { return s.Name == name }) {
			t.Errorf("there is no setting %q", name)
		}
	}
}

// TestPlaceOfTheStronger: --env and --from say the same thing; the one given with
// more weight counts, and two of one weight are an error.
func TestPlaceOfTheStronger(t *testing.T) {
	dir := own(t, "from: [dev:/a, dev:/b]\n")
	file := `from in "` + filepath.Join(dir, OwnName) + `"`
	tests := []struct {
		given Given
		env   Environ
		want  []source.Place
		wrong string
	}{
		{nil, environ(), []source.Place{{Environment: "dev", Path: "/a"}, {Environment: "dev", Path: "/b"}}, ""},
		{Given{"env": {"prod"}}, environ(), []source.Place{{Environment: "prod", Path: "/"}}, ""},
		{Given{"env": {"prod"}, "path": {"/c"}}, environ(), []source.Place{{Environment: "prod", Path: "/c"}}, ""},
		{nil, environ("INFISICAL_ENVIRONMENT=prod"), []source.Place{{Environment: "prod", Path: "/"}}, ""},
		{Given{"from": {"qa"}}, environ("INFISICAL_ENVIRONMENT=prod"), []source.Place{{Environment: "qa", Path: "/"}}, ""},
		{nil, environ("INFISICAL_ENVIRONMENT=prod", "INFISYNC_FROM=qa"), []source.Place{{Environment: "qa", Path: "/"}}, ""},
		{Given{"path": {"/c"}}, environ(), nil, file + " and --path together: --from names the whole place"},
		{nil, environ("INFISICAL_SECRET_PATH=/c"), nil, file + " and INFISICAL_SECRET_PATH together: --from names the whole place"},
	}
	for _, test := range tests {
		places, err := load(t, test.given, test.env, dir).Places()
		if !slices.Equal(places, test.want) || (test.wrong != "") != (err != nil) || err != nil && err.Error() != test.wrong {
			t.Errorf("%v: got %v, %v, want %v %s", test.given, places, err, test.want, test.wrong)
		}
	}
	both := own(t, "env: dev\nfrom: dev:/a\n")
	if _, err := Load(Run, nil, environ(), both); err == nil || !strings.Contains(err.Error(), "from together with env or path") {
		t.Errorf("a file with both gives %v", err)
	}
}
