package config

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// WriteMan writes the manual page of the commands, which must have their flags, in
// roff. Version is the program's; codes are rows of code, cause and remedy.
func WriteMan(w io.Writer, version string, commands []*cli.Command, codes [][3]string) error {
	m := new(manual)
	m.line(`.TH INFISYNC 1 "" "infisync %s" "User Commands"`, roff(version))
	m.section("NAME")
	m.text("infisync - start a program with its secrets and keep them up to date")
	m.section("SYNOPSIS")
	m.line(`.B infisync run`)
	m.text("[flags] -- COMMAND [ARGUMENT...]")
	m.line(`.br`)
	m.line(`.B infisync`)
	m.text("COMMAND [flags] [ARGUMENT...]")
	m.section("DESCRIPTION")
	m.text("Logs in to an Infisical server with a machine identity, keeps the secrets in an encrypted local vault, " +
		"starts a program with them as environment variables, and restarts it when they change. " +
		"The program runs with the complete, correct set of secrets, with the complete previous set, or not at all, with a reason.")
	m.section("COMMANDS")
	all := described(commands, "")
	for _, c := range all {
		m.command(c)
	}
	m.section("OPTIONS")
	m.text("Every flag --NAME can be set as the variable INFISYNC_NAME, lists with commas, and, unless a committed file " +
		"must not decide it, as the key NAME in .infisync.yaml. A flag wins over a variable, a variable over a file.")
	for _, group := range groups {
		m.line(`.SS "%s"`, roff(group))
		for i := range Table {
			if Table[i].Group == group {
				m.setting(&Table[i], all)
			}
		}
	}
	m.section("EXIT STATUS")
	m.text("run exits with the program's status, or 128+n if signal n killed it; 125 if infisync itself failed, " +
		"126 if the program cannot be executed, 127 if it is not found. Other commands exit with 0, 1, or 2: wrong usage or, for diff, a difference.")
	m.section("ERROR CODES")
	for _, row := range codes {
		m.line(".TP\n.B %s", roff(row[0]))
		m.text(row[1])
		m.line(".br")
		m.text("Remedy: " + row[2])
	}
	m.section("SEE ALSO")
	m.line(`.BR age (1)`)
	_, err := io.WriteString(w, m.String())
	return err
}

// A manual is a page that is being written.
type manual struct{ strings.Builder }

func (m *manual) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }
func (m *manual) section(title string)            { m.line(".SH %s", title) }

// text writes a paragraph's text, which must not be taken for a request.
func (m *manual) text(s string) {
	s = roff(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	m.line("%s", s)
}

func (m *manual) command(c describedCommand) {
	arguments, uses, _ := strings.Cut(Examples(c.name), "\n\nExamples:\n")
	m.line(".TP\n.B infisync %s", roff(c.name))
	if arguments = strings.TrimSpace(arguments); arguments != "" {
		m.line(`.I "%s"`, roff(arguments))
		m.line(".br")
	}
	m.text(strings.ToUpper(c.usage[:1]) + c.usage[1:] + ".")
	if uses != "" {
		m.line(".IP\n.nf")
		for use := range strings.SplitSeq(uses, "\n") {
			m.text(strings.TrimSpace(use))
		}
		m.line(".fi")
	}
}

func (m *manual) setting(s *Setting, all []describedCommand) {
	value := ""
	switch {
	case strings.HasPrefix(s.Arg, "["):
		value = s.Arg
	case s.Arg != "":
		value = " " + s.Arg
	}
	m.line(".TP\n.B \\-\\-%s%s", roff(s.Name), roff(value))
	help := strings.ToUpper(s.Help[:1]) + s.Help[1:] + "."
	if d := s.Default; d != "" && d != "false" && d != "0s" {
		help += " Default: " + d + "."
	}
	if len(s.Vars) > 0 {
		help += " Also " + strings.Join(s.Vars, ", ") + "."
	}
	m.text(help)
	var on []string
	for _, c := range all {
		for _, has := range c.settings {
			if has == s {
				on = append(on, c.name)
			}
		}
	}
	m.line(".br")
	m.text("Of: " + strings.Join(on, ", ") + ".")
}

// roff writes a text such that it stands for itself.
func roff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "\n", " ").Replace(s)
}
