package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2/maybe"

	"infisync/source"
)

// A NewFile is a .infisync.yaml to be written.
type NewFile struct {
	path   string
	values map[string][]string // setting → texts
}

// NewFile begins the file of the folder dir with those flags that say which secrets
// are taken. What is there already is replaced only when --yes is given; else it is an
// error.
func (s *Settings) NewFile(dir string) (*NewFile, error) {
	f := &NewFile{path: filepath.Join(dir, OwnName), values: make(map[string][]string)}
	switch _, err := os.Lstat(f.path); {
	case err == nil && !s.Yes:
		return nil, source.Errorf(source.CodeUsage, "%q is there already: --yes is needed to replace it", f.path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, source.Errorf(source.CodeConfigInvalid, "looking for the configuration: %w", err)
	}
	for _, setting := range Table {
		if o := s.origin[setting.Name]; o.rank == byFlag && setting.Group == groupWhat && setting.refusal() == "" {
			f.values[setting.Name] = o.texts
		}
	}
	return f, nil
}

// Path is where the file will be.
func (f *NewFile) Path() string { return f.path }

// Has tells whether the file sets one of the settings.
func (f *NewFile) Has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return f.values[name] != nil })
}

// Set has the file set a setting; an empty text leaves it out.
func (f *NewFile) Set(name, text string) {
	if text == "" {
		delete(f.values, name)
		return
	}
	f.values[name] = []string{text}
}

// Text is the whole file, settings in the order of the help.
func (f *NewFile) Text() string {
	b := new(strings.Builder)
	b.WriteString("# Settings of infisync for this folder and those below it; credentials do not belong in this file.\n")
	for _, setting := range Table {
		texts := f.values[setting.Name]
		if len(texts) == 0 {
			continue
		}
		b.WriteString(setting.Name + ": ")
		if !setting.Many {
			b.WriteString(yamlText(setting.Switch, last(texts)) + "\n")
			continue
		}
		items := make([]string, len(texts))
		for i, text := range texts {
			items[i] = yamlText(false, text)
		}
		b.WriteString("[" + strings.Join(items, ", ") + "]\n")
	}
	return b.String()
}

// Write writes the file, whole or not at all, with mode 0644 less what the umask takes.
// What could not be read back is not written.
func (f *NewFile) Write() error {
	text := f.Text()
	if _, err := readOwn(f.path, []byte(text)); err != nil {
		return err
	}
	if err := maybe.WriteFile(f.path, []byte(text), 0o644); err != nil {
		return source.Errorf(source.CodeConfigInvalid, "writing the configuration: %w", err)
	}
	return nil
}

// yamlText writes a text such that readers of all versions of YAML take it for one, or
// a switch's as a boolean.
func yamlText(isSwitch bool, text string) string {
	if on, err := strconv.ParseBool(text); isSwitch && err == nil {
		return strconv.FormatBool(on)
	}
	if isPlain(text) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text)) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// isPlain tells of a text whether it is no number and has no character that could mean
// something to YAML.
func isPlain(text string) bool {
	for i, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/'
		if !letter && (i == 0 || c != '-' && c != '_' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}
