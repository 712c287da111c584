package config

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"infisync/source"
)

// Shells are those that completion knows.
var Shells = []string{"bash", "zsh", "fish"}

//go:embed completion/infisync.bash
var bashCompletion string

//go:embed completion/infisync.zsh
var zshCompletion string

//go:embed completion/infisync.fish
var fishCompletion string

// WriteCompletion writes the script that teaches a shell, the one argument, to complete
// the commands, which must have their flags. Codes are rows that begin with what explain
// takes besides names.
func WriteCompletion(w io.Writer, args []string, commands []*cli.Command, codes [][3]string) error {
	if len(args) != 1 || !slices.Contains(Shells, args[0]) {
		return source.Errorf(source.CodeUsage, "completion needs the name of a shell: %s", strings.Join(Shells, ", "))
	}
	m := completions{commands: described(commands, "")}
	for _, row := range codes {
		m.codes = append(m.codes, row[0])
	}
	write := map[string]func() string{"bash": m.bash, "zsh": m.zsh, "fish": m.fish}[args[0]]
	_, err := io.WriteString(w, write())
	return err
}

// A describedCommand is what there is to tell of it.
type describedCommand struct {
	name     string // with "vault " before those of the vault
	usage    string
	settings []*Setting
}

// described lists the commands, each before its own.
func described(commands []*cli.Command, prefix string) (all []describedCommand) {
	for _, c := range commands {
		d := describedCommand{name: prefix + c.Name, usage: c.Usage}
		for _, flag := range c.Flags {
			if f, ok := flag.(*settingFlag); ok {
				d.settings = append(d.settings, f.setting)
			}
		}
		all = append(append(all, d), described(c.Subcommands, d.name+" ")...)
	}
	return all
}

type completions struct {
	commands []describedCommand
	codes    []string
}

// A hint says what a value can be: one of words, or a file, or a directory.
type hint struct {
	words     []string
	file, dir bool
}

// hintOf is what is known of a setting's value with a command.
func hintOf(s *Setting, command string) hint {
	switch {
	case s.Name == "format":
		return hint{words: formats(map[string]Command{"export": Export, "graph": Graph}[command])}
	case s.Name == "on-change":
		return hint{words: []string{"restart", "exit", "none", "signal:HUP"}}
	case s.Name == "delete-orphans":
		return hint{words: []string{"all"}}
	case s.Arg == "FILE" || strings.HasPrefix(s.Arg, "PATH["): // the PATH alone is a folder of the server
		return hint{file: true}
	case s.Arg == "DIR":
		return hint{dir: true}
	case s.Name == "fallback":
		return hint{words: []string{"vault", "dotenv", "vault,dotenv", "none"}}
	}
	// A setting with choices names them when it is given anything else.
	if choices, ok := strings.CutPrefix(s.read(new(Settings))([]string{"\x00"}), "one of "); ok {
		return hint{words: strings.Split(choices, ", ")}
	}
	return hint{}
}

// argument is what a command's arguments can be, besides those of run.
func (m completions) argument(command string) hint {
	switch command {
	case "explain":
		return hint{words: m.codes}
	case "completion":
		return hint{words: Shells}
	case "diff":
		return hint{file: true}
	case "", "vault":
		return hint{words: m.below(command)}
	}
	return hint{}
}

// below are the names of a command's own commands.
func (m completions) below(command string) (names []string) {
	prefix := strings.TrimLeft(command+" ", " ")
	for _, c := range m.commands {
		if rest, ok := strings.CutPrefix(c.name, prefix); ok && !strings.Contains(rest, " ") {
			names = append(names, rest)
		}
	}
	return names
}

// valued are the flags whose value is the next word.
func valued() string {
	var flags []string
	for i := range Table {
		if !Table[i].Switch {
			flags = append(flags, "--"+Table[i].Name)
		}
	}
	return strings.Join(flags, " ")
}

func (m completions) bash() string {
	var flags, names, values, formats strings.Builder
	done := make(map[string]bool)
	for _, c := range append([]describedCommand{{}}, m.commands...) {
		words := []string{"--help"}
		for _, s := range c.settings {
			words = append(words, "--"+s.Name)
			set := bashWords(hintOf(s, c.name))
			switch {
			case s.Name == "format":
				fmt.Fprintf(&formats, "          %s) %s ;;\n", shellQuoted(c.name), set)
			case set != "" && !done[s.Name]:
				fmt.Fprintf(&values, "      --%s) %s ;;\n", s.Name, set)
			}
			done[s.Name] = true
		}
		fmt.Fprintf(&flags, "      %s) words=%s ;;\n", shellQuoted(c.name), shellQuoted(strings.Join(words, " ")))
		if set := bashWords(m.argument(c.name)); set != "" {
			fmt.Fprintf(&names, "      %s) %s ;;\n", shellQuoted(c.name), set)
		}
	}
	return filled(bashCompletion, map[string]string{
		"VALUED": valued(), "VALUES": values.String(), "FORMATS": formats.String(), "FLAGS": flags.String(), "NAMES": names.String(),
	})
}

func bashWords(h hint) string {
	switch {
	case h.file:
		return "kind=-f"
	case h.dir:
		return "kind=-d"
	case len(h.words) > 0:
		return "words=" + shellQuoted(strings.Join(h.words, " "))
	}
	return ""
}

func (m completions) zsh() string {
	list := func(parent string) string {
		var b strings.Builder
		for _, name := range m.below(parent) {
			full := strings.TrimLeft(parent+" "+name, " ")
			i := slices.IndexFunc(m.commands, func(c describedCommand) bool { return c.name == full })
			b.WriteString("      " + shellQuoted(name+":"+strings.ReplaceAll(m.commands[i].usage, ":", `\:`)) + "\n")
		}
		return b.String()
	}
	arguments := func(inVault bool) string {
		var b strings.Builder
		for _, c := range m.commands {
			name, below := strings.CutPrefix(c.name, "vault ")
			if below != inVault || c.name == "vault" {
				continue
			}
			b.WriteString("    " + name + ")\n      _arguments -S '(- *)'{-h,--help}'[show help]'")
			for _, s := range c.settings {
				b.WriteString(" \\\n        " + shellQuoted(zshFlag(s, c.name)))
			}
			switch argument := zshHint(m.argument(c.name)); {
			case c.name == "run":
				b.WriteString(" \\\n        '(-)1:command: _command_names -e' '*::argument: _normal'")
			case argument != "":
				b.WriteString(" \\\n        " + shellQuoted("*:argument:"+argument))
			}
			b.WriteString(" && ret=0\n      ;;\n")
		}
		return b.String()
	}
	return filled(zshCompletion, map[string]string{
		"COMMANDS": list(""), "VAULTCOMMANDS": list("vault"), "ARGUMENTS": arguments(false), "VAULTARGUMENTS": arguments(true),
	})
}

// zshFlag is a flag as _arguments reads it.
func zshFlag(s *Setting, command string) string {
	help := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(s.Help)
	name := "--" + s.Name
	if !s.Switch {
		name += "=" // the value is the next word, or stands behind =
	}
	spec := name + "[" + help + "]"
	switch {
	case strings.HasPrefix(s.Arg, "["): // an optional value, only behind =
		spec = "--" + s.Name + "=-[" + help + "]::value:" + zshHint(hintOf(s, command))
	case !s.Switch:
		spec += ":" + strings.ReplaceAll(s.Arg, ":", `\:`) + ":" + zshHint(hintOf(s, command))
	}
	if s.Many {
		return "*" + spec
	}
	return spec
}

func zshHint(h hint) string {
	switch {
	case h.file:
		return "_files"
	case h.dir:
		return "_files -/"
	case len(h.words) > 0:
		return "(" + strings.ReplaceAll(strings.Join(h.words, " "), ":", `\:`) + ")"
	}
	return ""
}

func (m completions) fish() string {
	var b strings.Builder
	line := func(at, rest string) {
		fmt.Fprintf(&b, "complete -c infisync -n %s %s\n", shellQuoted("__infisync_at "+shellQuoted(at)), rest)
	}
	for _, c := range append([]describedCommand{{}}, m.commands...) {
		if i := strings.LastIndex(" "+c.name, " "); c.name != "" {
			line(strings.TrimSpace(c.name[:max(i-1, 0)]), "-a "+shellQuoted(c.name[i:])+" -d "+shellQuoted(c.usage))
		}
		line(c.name, "-l help -d 'show help'")
		for _, s := range c.settings {
			rest := "-l " + s.Name + " -d " + shellQuoted(s.Help)
			if !s.Switch {
				rest += fishHint(hintOf(s, c.name))
			}
			line(c.name, rest)
		}
		if h := m.argument(c.name); c.name != "" && c.name != "vault" && (h.file || len(h.words) > 0) {
			line(c.name, strings.TrimPrefix(fishHint(h), " -r"))
		}
	}
	return filled(fishCompletion, map[string]string{"VALUED": valued(), "COMPLETE": b.String()})
}

func fishHint(h hint) string {
	switch {
	case h.file:
		return " -r -F"
	case h.dir:
		return " -r -f -a '(__fish_complete_directories)'"
	case len(h.words) > 0:
		return " -r -f -a " + shellQuoted(strings.Join(h.words, " "))
	}
	return " -r -f"
}

// filled puts texts in the place of their markers, which stand alone on a line or
// within one.
func filled(template string, texts map[string]string) string {
	for name, text := range texts {
		template = strings.ReplaceAll(template, "@"+name+"@", strings.TrimSuffix(text, "\n"))
	}
	return template
}

// shellQuoted quotes a text for bash and zsh, and for fish as long as it holds no
// backslash.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
