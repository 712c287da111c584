package config

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// similarFlag returns the flag that may be meant by one that is not there, with its
// dashes; empty: none is near.
func similarFlag(flags []cli.Flag, name string) string {
	// The library always knows one; what shares no beginning is no help.
	similar := cli.SuggestFlag(flags, name, false)
	if len(name) <= 2 || !strings.HasPrefix(similar, "--"+name[:3]) {
		return ""
	}
	return similar
}

// Misspelled lists those variables of an environment, as os.Environ has it, that seem to
// be meant for a setting and are not: the name, and the one that may be meant. Others
// with the prefix are somebody else's: Kubernetes sets some for a service named infisync.
func Misspelled(environ []string) (names [][2]string) {
	flags := AllFlags(all|About, nil)
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		text, own := strings.CutPrefix(variable, prefix)
		if !own || value == "" || variable == NestedVariable || strings.Contains(variable, "_SERVICE_") || strings.Contains(variable+"_", "_PORT_") {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(text, "_", "-"))
		meant := ""
		if slices.Contains(secretFlags[:], name) {
			meant = "INFISICAL_" + text
		} else if s := settingOf(strings.TrimPrefix(similarFlag(flags, name), "--")); s != nil { // it is not --help
			meant = s.Variable()
		}
		if meant != "" && meant != variable {
			names = append(names, [2]string{variable, meant})
		}
	}
	return names
}
