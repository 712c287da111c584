package config

import (
	"flag"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"infisync/source"
)

// Given is what the command line set: setting → texts in their order.
type Given map[string][]string

// Flags returns the flags of a command of which a command line makes use; parsing puts
// their texts into given. The texts are judged by [Load], together with those of
// variables and files. For all flags, see [AllFlags].
//
// The command line is as [FlagsFirst] leaves it. It gets all where it asks for help, or
// has a flag that there is not, in whose place another can be suggested: the library does
// so much with each of them that they would be a tenth of what a start takes.
func Flags(command Command, given Given, args []string) (flags []cli.Flag, all bool) {
	used, ok := usedFlags(command, args)
	if !ok {
		return AllFlags(command, given), true
	}
	return flagsOf(given, used), false
}

// AllFlags returns all flags of a command.
func AllFlags(command Command, given Given) []cli.Flag {
	settings := make([]*Setting, 0, len(Table))
	for i := range Table {
		if s := &Table[i]; s.On&command != 0 {
			settings = append(settings, s)
		}
	}
	return flagsOf(given, settings)
}

func flagsOf(given Given, settings []*Setting) []cli.Flag {
	flags := make([]cli.Flag, len(settings))
	for i, s := range settings {
		flags[i] = &settingFlag{setting: s, given: given, names: [1]string{s.Name}}
	}
	return flags
}

// usedFlags goes through a command line as its parser will, and returns the settings
// whose flags are there. It is false for one that is not plainly made of these.
func usedFlags(command Command, args []string) ([]*Setting, bool) {
	var used []*Setting
	words := min(commandWords(args), len(args))
	if words < 2 || slices.ContainsFunc(args[1:words], func(word string) bool {
		return word == "help" || word == "h" || strings.HasPrefix(word, "-")
	}) {
		return nil, false
	}
	for args = args[words:]; len(args) > 0 && args[0] != "--" && strings.HasPrefix(args[0], "-"); args = args[1:] {
		name, _, whole := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		s := settingOf(name)
		if s == nil || s.On&command == 0 {
			return nil, false
		}
		if !slices.Contains(used, s) {
			used = append(used, s)
		}
		if !s.Switch && !whole {
			args = args[min(1, len(args)-1):]
		}
	}
	return used, true
}

// settingFlag is a cli.Flag that only notes texts. The library's own typed flags
// would quote a variable's value in their errors.
type settingFlag struct {
	setting *Setting
	given   Given
	names   [1]string // kept, since the library asks each flag for them once for every flag
}

func (f *settingFlag) Apply(set *flag.FlagSet) error {
	set.Var(&noted{f}, f.setting.Name, f.setting.Help)
	return nil
}

func (f *settingFlag) Names() []string        { return f.names[:] }
func (f *settingFlag) IsSet() bool            { return len(f.given[f.setting.Name]) > 0 }
func (f *settingFlag) IsVisible() bool        { return true }
func (f *settingFlag) GetCategory() string    { return f.setting.Group }
func (f *settingFlag) TakesValue() bool       { return !f.setting.Switch }
func (f *settingFlag) GetUsage() string       { return f.setting.Help }
func (f *settingFlag) GetValue() string       { return f.setting.Default }
func (f *settingFlag) GetDefaultText() string { return f.setting.Default }
func (f *settingFlag) GetEnvVars() []string {
	return append([]string{f.setting.Variable()}, f.setting.Vars...)
}

// String is the flag's line in the help: the flag and its value, a tab, what it
// does, its default and its variables.
func (f *settingFlag) String() string {
	var b strings.Builder
	b.WriteString("--" + f.setting.Name)
	switch {
	case strings.HasPrefix(f.setting.Arg, "["):
		b.WriteString(f.setting.Arg)
	case f.setting.Arg != "":
		b.WriteString(" " + f.setting.Arg)
	}
	b.WriteString("\t" + f.setting.Help)
	if d := f.setting.Default; d != "" && d != "false" && d != "0s" {
		b.WriteString(" (default: " + d + ")")
	}
	if len(f.setting.Vars) > 0 {
		b.WriteString(" [$" + strings.Join(f.setting.Vars, ", $") + "]")
	}
	return b.String()
}

// noted is the flag.Value behind a settingFlag.
type noted struct{ flag *settingFlag }

func (n *noted) String() string   { return "" }
func (n *noted) IsBoolFlag() bool { return n.flag.setting.Switch }
func (n *noted) Set(text string) error {
	name := n.flag.setting.Name
	n.flag.given[name] = append(n.flag.given[name], text)
	return nil
}

// FlagsFirst puts the flags of a command line, the program's name included, before
// names, so that they may be given after them too: what parses them stops at the
// first name. The arguments of run after its first are the child's, and stay.
func FlagsFirst(args []string) []string {
	words := commandWords(args)
	if len(args) <= words {
		return args
	}
	rest := args[words:]
	if args[1] != "run" {
		rest = flagsFirst(rest)
	}
	if rest[0] == "--help" || rest[0] == "-h" {
		rest = rest[:1] // the library takes what follows for a command to explain
	}
	return append(slices.Clip(args[:words]), rest...)
}

func flagsFirst(args []string) []string {
	var flags, rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		flags = append(flags, arg)
		if takesValue(strings.TrimLeft(arg, "-")) && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return append(flags, rest...)
}

// commandWords is how many words of a command line say what it is about: "infisync" and
// the command.
func commandWords(args []string) int {
	if len(args) > 1 && args[1] == "vault" {
		return 3
	}
	return 2
}

func takesValue(flag string) bool {
	s := settingOf(flag)
	return s != nil && !s.Switch
}

// settingOf returns the setting with that flag; nil: there is none.
func settingOf(flag string) *Setting {
	for i := range Table {
		if Table[i].Name == flag {
			return &Table[i]
		}
	}
	return nil
}

// UsageError puts the flag parser's words about a command's flags into infisync's.
func UsageError(err error, command *cli.Command) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimPrefix(name, "-")
		if slices.Contains(secretFlags[:], name) {
			return inArgv(name)
		}
		text = "there is no flag --" + name
		if command != nil {
			if similar := similarFlag(command.Flags, name); similar != "" {
				text += ", did you mean " + similar + "?"
			}
		}
	} else if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		text = "--" + strings.TrimPrefix(name, "-") + " needs a value"
	}
	return source.Errorf(source.CodeUsage, "%s", text)
}
