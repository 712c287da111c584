package config

import (
	"strings"

	"github.com/urfave/cli/v2"

	"infisync/source"
)

// groups are the headings of the help, what a user needs most first.
var groups = []string{groupDo, groupServer, groupWhat, groupEnv, groupFrom, groupLife, groupStore, groupLog}

// HelpTemplate is the template of a command's help: the flags under their headings
// in the order of need, where the library's own sorts the headings by name.
func HelpTemplate() string {
	var b strings.Builder
	b.WriteString("{{.HelpName}}: {{.Usage}}\n\nUSAGE:\n   {{.HelpName}} {{wrap .UsageText 3}}\n")
	for _, group := range groups {
		b.WriteString(`{{range .VisibleFlagCategories}}{{if eq .Name "` + group + `"}}` + "\n" + strings.ToUpper(group) +
			":{{range .Flags}}\n   {{.}}{{end}}\n{{end}}{{end}}")
	}
	b.WriteString("\nEvery flag --NAME can be set as the variable INFISYNC_NAME, lists with commas,\nand, unless a committed file must not decide it, as the key NAME in .infisync.yaml.\n")
	return b.String()
}

// A helpFlag is the library's --help without its search for commas in the names, which
// it does at each start, by a regular expression.
type helpFlag struct{ *cli.BoolFlag }

func (helpFlag) Names() []string { return helpNames }

var helpNames = []string{"help", "h"}

// HelpFlag is what shows the help of a command.
func HelpFlag() cli.Flag {
	return helpFlag{&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", DisableDefaultText: true}}
}

// The headings of the commands in the help.
const (
	tasksRun   = "Start a program"
	tasksOnce  = "Work with the server"
	tasksVault = "The encrypted local store"
	tasksLook  = "Inspect and diagnose"
	tasksSelf  = "Set up"
)

// Category is the heading of a command in the help.
func Category(command string) string {
	switch command {
	case "run", "sync":
		return tasksRun
	case "push", "delete", "projects", "diff":
		return tasksOnce
	case "vault", "export":
		return tasksVault
	case "status", "ps", "explain", "doctor", "graph":
		return tasksLook
	}
	return tasksSelf
}

// VaultHelpTemplate is the template of the help of the commands below vault.
const VaultHelpTemplate = `{{.HelpName}}: {{.Usage}}

USAGE:
   {{.HelpName}} COMMAND [flags] [NAME...]

COMMANDS:{{range .VisibleCommands}}
   {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}
`

// FullName is what a command of the set is called in full.
func FullName(set Command, name string) string {
	if set&inVault != 0 {
		return "vault " + name
	}
	return name
}

// AppHelpTemplate is the template of the help of the whole: the commands under their
// headings, what a user needs most first.
const AppHelpTemplate = `{{.Name}}: {{.Usage}}

USAGE:
   {{.UsageText}}
   infisync COMMAND --help
` + ofCategory + `"` + tasksRun + tasksEnd + ofCategory + `"` + tasksOnce + tasksEnd + ofCategory + `"` + tasksVault + tasksEnd +
	ofCategory + `"` + tasksLook + tasksEnd + ofCategory + `"` + tasksSelf + tasksEnd + `
EXAMPLES:
   infisync run -- ./app                           with the .env file in this folder
   infisync run --env prod -- ./app                with INFISICAL_URL, _CLIENT_ID, _CLIENT_SECRET
   infisync doctor --env prod                      what is missing, and where
`

const (
	ofCategory = `{{range .VisibleCategories}}{{if eq .Name `
	tasksEnd   = `"}}
{{.Name}}:{{range .VisibleCommands}}
   {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}
{{end}}{{end}}`
)

// NoCommand is the error of a command that is not there; what says of which kind.
func NoCommand(what, name string, commands []*cli.Command) error {
	var names []cli.Flag
	for _, c := range commands {
		names = append(names, &settingFlag{names: [1]string{c.Name}})
	}
	// The library always knows one; what shares no beginning is no help.
	if similar := strings.TrimLeft(cli.SuggestFlag(names, name, true), "-"); name != "" && strings.HasPrefix(similar, name[:1]) {
		return source.Errorf(source.CodeUsage, "there is no %s %q, did you mean %s?", what, name, similar)
	}
	return source.Errorf(source.CodeUsage, "there is no %s %q", what, name)
}
