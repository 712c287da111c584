package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"infisync/source"
)

// OwnName is the name of infisync's own configuration file.
const OwnName = ".infisync.yaml"

// committed are the settings that .infisync.yaml may hold: what the child gets of
// the secrets that the identity may read, and how it lives. The file is committed,
// and who can commit is not who runs infisync. So none of these decides where
// credentials go, who answers in the server's place, what else is started, written,
// opened or deleted, or lifts what keeps a wrong set or a credential from the child;
// and a new setting is not among them until somebody has asked that about it.
var committed = []string{
	"project", "env", "path", "from", "all-projects", "recursive", "include-imports", "expand-references",
	"preserve-env", "pristine", "only", "except", "prefix", "rename", "with-local",
	"file-format", "file-env",
	"exec", "once", "interval", "on-change", "debounce", "splay", "stop-signal", "stop-timeout", "kill-after",
	"restart", "probation", "rollback", "quarantine", "health-timeout", "signal-scope", "rewrite", "kill-leftovers",
	"overlap", "ready-after", "ready-timeout",
	"state-hash", "log-level", "log-format",
}

// refusal says why the file may not hold the setting; empty: it may.
func (s *Setting) refusal() string {
	if slices.Contains(committed, s.Name) {
		return ""
	}
	switch {
	case s.Private || s.Group == groupServer:
		return "such a file must not decide where credentials go or what they are"
	case s.Group == groupFrom:
		return "such a file must not decide what is used in the server's place"
	case s.Group == groupDo || s.Name == "watch":
		return "it is for one call"
	}
	switch s.Name {
	case "health-cmd", "on-event":
		return "such a file must not start commands"
	case "health-http", "health-tcp", "listen", "http":
		return "such a file must not open connections"
	case "state-dir", "delete-orphans", "file", "file-all", "file-replace":
		return "such a file must not decide what is written or deleted"
	case "vault-recipient":
		return "such a file must not let another key open the vault"
	case "allow", "allow-empty", "keep-credentials":
		return "such a file must not disable what keeps a wrong set or a credential from the child"
	}
	return "that is for whoever runs infisync to decide"
}

// ownFile is a .infisync.yaml that was read and may hold what it holds.
type ownFile struct {
	path   string
	values map[string][]string // setting → texts, at least one
}

func (f *ownFile) get(setting string) []string {
	if f == nil {
		return nil
	}
	return f.values[setting]
}

// findOwn reads the nearest .infisync.yaml from dir upwards; nil when there is none.
// An error names the file and the line and quotes no value.
func findOwn(dir string, foreign func(path string)) (*ownFile, error) {
	path, data, err := readUpwards(dir, OwnName, foreign)
	if data == nil || err != nil {
		return nil, err
	}
	return readOwn(path, data)
}

// readOwn reads what stands, or shall stand, in the file at path.
func readOwn(path string, data []byte) (*ownFile, error) {
	entries, fault := readYAML(data)
	if fault != nil {
		return nil, ownError(path, fault.line, fault.text)
	}
	f := &ownFile{path: path, values: make(map[string][]string)}
	for _, e := range entries {
		texts, wrong := e.settingTexts()
		if wrong != "" {
			return nil, ownError(path, e.line, wrong)
		}
		f.values[e.key] = texts
	}
	if f.get("from") != nil && (f.get("env") != nil || f.get("path") != nil) {
		return nil, source.Errorf(source.CodeConfigInvalid, "%q: from together with env or path: from names the whole place", path)
	}
	return f, nil
}

func ownError(path string, line int, wrong string) error {
	return source.Errorf(source.CodeConfigInvalid, "%q line %d: %s", path, line, wrong)
}

// settingTexts is what an entry gives its setting, as flags would.
func (e *entry) settingTexts() (texts []string, wrong string) {
	i := slices.IndexFunc(Table, func(s Setting) bool { return s.Name == e.key })
	if i < 0 {
		return nil, unknownKey(e.key)
	}
	setting := &Table[i]
	if why := setting.refusal(); why != "" {
		variable := append(slices.Clone(setting.Vars), setting.Variable())[0]
		return nil, fmt.Sprintf("%s is not allowed in a committed file, since %s: use --%s or %s", e.key, why, setting.Name, variable)
	}
	if e.list && !setting.Many {
		return nil, e.key + " takes one value, not a list"
	}
	isSwitch := setting.Switch && !setting.Many
	for _, s := range e.scalars {
		switch {
		case s.text == "" || s.isNull():
			return nil, e.key + " is given an empty value: leave it out"
		case isSwitch && !s.isBool():
			return nil, e.key + " must be true or false"
		case s.isBool() && !setting.Switch:
			return nil, e.key + " is not a text: put it in quotes if it is meant as one"
		}
		texts = append(texts, s.text)
	}
	if len(texts) == 0 {
		return nil, e.key + " is given nothing: leave it out"
	}
	if wrong := setting.read(new(Settings))(texts); wrong != "" {
		return nil, e.key + " must be " + wrong
	}
	return texts, ""
}

// unknownKey says that no setting is called so, and which one may be meant. What
// could be something else than a misspelt name is not repeated.
func unknownKey(key string) string {
	lower := strings.ToLower(strings.ReplaceAll(key, "_", "-"))
	for _, word := range []string{"secret", "token", "password", "jwt"} {
		if strings.Contains(lower, word) {
			return "this is not a setting, and credentials do not belong here: remove it, and rotate it if it was committed"
		}
	}
	const longest = 32 // characters of what may be a name
	nearest := strings.TrimLeft(cli.SuggestFlag(AllFlags(all, nil), lower, true), "-")
	if nearest == "" || len(key) > longest || strings.ContainsAny(key, ".0123456789") {
		return `there is no such setting: see "infisync run --help"`
	}
	return fmt.Sprintf("there is no setting %q, the nearest is %s", key, nearest)
}
