package config

import (
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
// files found from dir upwards, then defaults. An error is a CodeUsage or
// CodeConfigInvalid that names the setting, where it was given and what it may
// be; a variable's text is never quoted.
func Load(command Command, given Given, env Environ, dir string) (*Settings, error) {
	s := &Settings{origin: make(map[string]string)}
	_, s.Nested = env.set(NestedVariable)
	official, err := findOfficial(dir)
	if err != nil {
		return nil, err
	}
	for i := range Table {
		setting := &Table[i]
		if setting.On&command == 0 {
			continue
		}
		texts, origin := setting.lookup(given, env, official)
		if origin != "" {
			s.origin[setting.Name] = origin
		} else if setting.Default != "" {
			texts = []string{setting.Default}
		}
		if len(texts) == 0 {
			continue
		}
		// Elsewhere an empty flag unsets what a variable or a file sets.
		if strings.HasPrefix(origin, "--") && slices.Contains(texts, "") && (setting.Default != "" || setting.Many) {
			return nil, source.Errorf(source.CodeUsage, "%s is given an empty value: is a variable not set?", origin)
		}
		if wrong := setting.read(s)(texts); wrong != "" {
			return nil, setting.wrong(texts, origin, wrong)
		}
	}
	if err := s.checkFormat(command); err != nil {
		return nil, err
	}
	if s.Credentials, err = findCredentials(s, env); err != nil {
		return nil, err
	}
	s.settleMethod(env)
	if official != nil {
		s.Notices = append(s.Notices, official.notices...)
	}
	s.Notices = append(s.Notices, s.Credentials.notices...)
	return s, nil
}

// checkFormat refuses a format that the command cannot write ahead of what the
// command does. Those with more formats than these check it themselves.
func (s *Settings) checkFormat(command Command) error {
	if s.Format == "" || s.Format == "text" || s.Format == "json" || command&(Export|Graph) != 0 {
		return nil
	}
	return source.Errorf(source.CodeUsage, "there is no format %q: use text or json", s.Format)
}

// lookup finds what a setting was given and says where; an empty origin means
// nowhere.
func (setting *Setting) lookup(given Given, env Environ, official *officialFile) (texts []string, origin string) {
	if texts := given[setting.Name]; len(texts) > 0 {
		return texts, "--" + setting.Name
	}
	for _, name := range append([]string{setting.Variable()}, setting.Vars...) {
		text, ok := env.set(name)
		if !ok {
			continue
		}
		if setting.Many {
			return splitComma(text), name
		}
		return []string{minutes(name, text)}, name
	}
	if text := official.get(setting.Name); text != "" {
		return []string{text}, official.path
	}
	return nil, ""
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

func (setting *Setting) wrong(texts []string, origin, allowed string) error {
	subject := origin
	if strings.HasPrefix(origin, "--") { // argv is public already
		subject += " " + strconv.Quote(strings.Join(texts, ","))
	}
	code := source.CodeConfigInvalid
	if strings.HasPrefix(origin, "--") {
		code = source.CodeUsage
	}
	return source.Errorf(code, "%s is not %s", subject, allowed)
}
