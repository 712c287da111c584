package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"infisync/source"
)

// Environ looks up an environment variable, as os.LookupEnv does.
type Environ func(name string) (string, bool)

// set returns a variable that is set and not empty: an empty one, as container
// tools often leave, counts as not set.
func (env Environ) set(name string) (string, bool) {
	v, ok := env(name)
	return v, ok && v != ""
}

// NestedVariable marks the environment of a child of infisync.
const NestedVariable = "INFISYNC_RUN"

// Load reads the settings of a command: flags first, then variables, then the
// nearest .infisync.yaml and .infisical.json from dir upwards, then defaults. An error is a CodeUsage or
// CodeConfigInvalid that names the setting, where it was given and what it may
// be; what a variable or a file gives is never quoted.
func Load(command Command, given Given, env Environ, dir string) (*Settings, error) {
	s := &Settings{origin: make(map[string]origin)}
	_, s.Nested = env.set(NestedVariable)
	files, err := findFiles(dir)
	if err != nil {
		return nil, err
	}
	s.Files = files.used()
	for i := range Table {
		setting := &Table[i]
		if setting.On&command == 0 {
			continue
		}
		origin := setting.lookup(given, env, files)
		texts := origin.texts
		if origin.rank > byDefault {
			s.origin[setting.Name] = origin
		} else if setting.Default != "" {
			texts = []string{setting.Default}
		}
		if len(texts) == 0 {
			continue
		}
		if err := setting.misplaced(origin, env); err != nil {
			return nil, err
		}
		// Elsewhere an empty flag unsets what a variable or a file sets.
		if origin.rank == byFlag && slices.Contains(texts, "") && (setting.Default != "" || setting.Many) {
			return nil, source.Errorf(source.CodeUsage, "%s has an empty value: is a variable not set?", origin.name)
		}
		if wrong := setting.read(s)(texts); wrong != "" {
			return nil, origin.wrong(wrong)
		}
	}
	if err := cmp.Or(s.settlePlace(), s.checkFormat(command), s.checkExec()); err != nil {
		return nil, err
	}
	if s.Credentials, err = findCredentials(s, env); err != nil {
		return nil, err
	}
	s.settleMethod(env)
	s.Notices = append(s.Notices, files.notices...)
	s.Notices = append(s.Notices, s.Credentials.notices...)
	return s, nil
}

// checkFormat refuses a format that the command cannot write ahead of what the
// command does.
func (s *Settings) checkFormat(command Command) error {
	if s.Format == "" || slices.Contains(formats(command), s.Format) {
		return nil
	}
	return s.origin["format"].wrong("one of " + strings.Join(formats(command), ", "))
}

// formats are the words that a command's --format takes.
func formats(command Command) []string {
	switch command {
	case Export:
		return []string{"dotenv", "json", "yaml", "shell", "docker", "k8s", "systemd"}
	case Graph:
		return []string{"table", "json", "dot", "mermaid"}
	}
	return []string{"text", "json"}
}

// checkExec refuses what needs somebody who stays. Of what only does nothing, flags are
// refused: an image may set its variables for both ways of starting.
func (s *Settings) checkExec() error {
	if o := s.origin["overlap"]; s.Once && s.Overlap && o.rank == byFlag {
		return source.Errorf(source.CodeUsage, "--overlap together with %s: nothing is watched, so no second child is ever started; omit one of them", s.Origin("once"))
	}
	switch {
	case !s.Exec:
		return nil
	case len(s.SecretFiles) > 0 || s.FileAll != "":
		return source.Errorf(source.CodeUsage, "--exec together with --file or --file-all: nothing stays resident to remove the files")
	case len(s.Listen) > 0:
		return source.Errorf(source.CodeUsage, "%s together with %s: nothing stays resident to pass the socket on; omit one of them", s.Origin("listen"), s.Origin("exec"))
	}
	for i := range Table {
		setting := &Table[i]
		if setting.Group != groupLife || setting.Name == "exec" {
			continue
		}
		o, given := s.origin[setting.Name]
		if given && o.rank == byFlag && !slices.Contains([]string{"", "false", "no", "none"}, last(o.texts)) {
			return source.Errorf(source.CodeUsage, "--%s together with %s: nothing stays resident to do that; omit one of them", setting.Name, s.Origin("exec"))
		}
	}
	return nil
}

// lookup finds what a setting was given and where.
func (s *Setting) lookup(given Given, env Environ, files files) origin {
	if texts := given[s.Name]; len(texts) > 0 {
		return origin{"--" + s.Name, byFlag, texts}
	}
	for _, name := range append([]string{s.Variable()}, s.Vars...) {
		text, ok := env.set(name)
		if !ok {
			continue
		}
		if s.Many {
			return origin{name, byVariable, splitComma(text)}
		}
		return origin{name, byVariable, []string{minutes(name, text)}}
	}
	if texts := files.own.get(s.Name); texts != nil {
		return origin{fmt.Sprintf("%s in %q", s.Name, files.own.path), byFile, texts}
	}
	if text := files.official.get(s.Name); text != "" {
		return origin{files.official.path, byOfficial, []string{text}}
	}
	return origin{}
}

// minutes reads the field's INFISICAL_SYNC_INTERVAL, where a bare number counts
// minutes.
func minutes(name, text string) string {
	if name != "INFISICAL_SYNC_INTERVAL" {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text + "m"
	}
	return text
}

// wrong is the error of a setting that was given something that is not allowed. What a
// flag was given is quoted: the command line is public already. What a variable or a
// file gives is not: it may be a secret that was put in the wrong place.
func (o origin) wrong(allowed string) error {
	if o.rank == byFlag {
		return source.Errorf(source.CodeUsage, "%s %s must be %s", o.name, strconv.Quote(strings.Join(o.texts, ",")), allowed)
	}
	return source.Errorf(source.CodeConfigInvalid, "%s must be %s", o.name, allowed)
}
