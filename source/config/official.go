package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"infisync/source"
)

const officialName = ".infisical.json"

// officialFile is the official CLI's .infisical.json, as far as infisync honours
// it: project, environment (by the git branch first) and path.
type officialFile struct {
	path    string
	values  map[string]string // setting → text
	notices []string
}

func (f *officialFile) get(setting string) string {
	if f == nil {
		return ""
	}
	return f.values[setting]
}

// findOfficial reads the nearest .infisical.json from dir upwards; nil when there
// is none.
func findOfficial(dir string, foreign func(path string)) (*officialFile, error) {
	path, data, err := readUpwards(dir, officialName, foreign)
	if data == nil || err != nil {
		return nil, err
	}
	var content struct {
		WorkspaceID        string            `json:"workspaceId"`
		DefaultEnvironment string            `json:"defaultEnvironment"`
		DefaultSecretPath  string            `json:"defaultSecretPath"`
		BranchEnvironment  map[string]string `json:"gitBranchToEnvironmentMapping"`
		Domain             string            `json:"domain"`
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows write one
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, source.Errorf(source.CodeConfigInvalid, "%q is not the JSON that the official CLI writes: %s", path, jsonFault(err))
	}
	f := &officialFile{path: path, values: map[string]string{
		"project": content.WorkspaceID,
		"env":     content.DefaultEnvironment,
		"path":    content.DefaultSecretPath,
	}}
	if len(content.BranchEnvironment) > 0 {
		if env := content.BranchEnvironment[gitBranch(filepath.Dir(path))]; env != "" {
			f.values["env"] = env
		}
	}
	if content.Domain != "" {
		// A committed file must not decide where credentials are sent.
		f.notices = append(f.notices, fmt.Sprintf("the domain in %q is ignored: set INFISICAL_URL", path))
	}
	return f, nil
}

// jsonFault says where a JSON text is broken without quoting it.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("broken at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		return "it is not an object"
	case errors.As(err, &kind):
		return fmt.Sprintf("%q has the wrong type", kind.Field)
	}
	return "unreadable"
}

// gitBranch names the branch checked out in dir or a folder above; empty when
// there is none. It reads git's files itself: starting git would cost more than
// all the rest of a start.
func gitBranch(dir string) string {
	foreign := func(string) {} // of a branch there is nothing to say
	_, head, err := readUpwards(dir, filepath.Join(".git", "HEAD"), foreign)
	if head == nil || err != nil {
		// In a linked work tree .git is a file that points to the real folder.
		path, link, err := readUpwards(dir, ".git", foreign)
		target, ok := strings.CutPrefix(string(link), "gitdir:")
		if err != nil || !ok {
			return ""
		}
		target = strings.TrimSpace(target)
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		if head, err = os.ReadFile(filepath.Join(target, "HEAD")); err != nil {
			return ""
		}
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/")
	if !ok {
		return ""
	}
	return branch
}
