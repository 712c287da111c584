package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"infisync/source"
)

// initSettings are the settings of an init command.
func initSettings(t *testing.T, given Given) *Settings {
	t.Helper()
	s, err := Load(Init, given, environ("INFISICAL_ENVIRONMENT=variable"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNewFileIsReadBack: what is written is what was given, to infisync and to others.
func TestNewFileIsReadBack(t *testing.T) {
	texts := []string{"dev", "/a/b", "7d2c1f3e-5b0a-4c8e-9f64-0a1b2c3d4e5f", "010", "1e3", "no", "True", "~", "-", "# x", `"q" \ 'z'`, "[a]", "{a}", "*a", "&a", "a: b", "ä 日本", ".inf", "="}
	for _, text := range texts {
		dir := t.TempDir()
		file, err := initSettings(t, Given{"env": {text}, "recursive": {"1"}, "include-imports": {"F"}}).NewFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		file.Set("project", text)
		file.Set("path", "")
		if err := file.Write(); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		s := load(t, nil, environ(), dir)
		if s.Env != text || s.Project != text || !s.Recursive || s.Imports || s.Given("path") {
			t.Errorf("%q is read back as %q and %q in %s", text, s.Env, s.Project, file.Text())
		}
		var others map[string]any
		if err := yaml.Unmarshal([]byte(file.Text()), &others); err != nil || others["env"] != text || others["recursive"] != true {
			t.Errorf("%q is read by others as %v, %v in %s", text, others, err, file.Text())
		}
	}
	dir := t.TempDir()
	from := []string{"dev:/shared", "p:prod:/a, b"}
	file, err := initSettings(t, Given{"from": from}).NewFile(dir)
	if err != nil || file.Has("env") || !file.Has("env", "from") {
		t.Fatalf("%v, in %s", err, file.Text())
	}
	if err := file.Write(); err != nil {
		t.Fatal(err)
	}
	if s := load(t, nil, environ(), dir); !reflect.DeepEqual(s.From, from) {
		t.Errorf("%q is read back as %q", from, s.From)
	}
}

func TestNewFileRefuses(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, OwnName), "env: old\n")
	if _, err := initSettings(t, nil).NewFile(dir); source.CodeOf(err) != source.CodeUsage || !strings.HasSuffix(err.Error(), "--yes is needed to replace it") {
		t.Errorf("a file that is there: %v", err)
	}
	file, err := initSettings(t, Given{"yes": {"true"}, "url": {"https://a.example"}, "vault-recipient": {"age1x"}}).NewFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text := file.Text(); strings.Contains(text, "\n") && strings.Count(text, "\n") != 1 {
		t.Errorf("what may not stand in the file is written to it, or what was no flag: %s", text)
	}
	file.Set("env", "a\tb")
	if err := file.Write(); source.CodeOf(err) != source.CodeConfigInvalid {
		t.Errorf("a text that cannot be read back: %v", err)
	}
	if old, err := os.ReadFile(path); err != nil || string(old) != "env: old\n" {
		t.Errorf("the old file is %q, %v", old, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || !slices.EqualFunc(entries, []string{OwnName}, func(e os.DirEntry, name string) bool { return e.Name() == name }) {
		t.Errorf("left are %v, %v", entries, err)
	}
}
