package config

import "strings"

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
	b.WriteString("\nEvery flag --NAME can be set as the variable INFISYNC_NAME, lists with commas,\nand where a committed file may decide it as the key NAME in .infisync.yaml.\n")
	return b.String()
}
