package config

import (
	"slices"
	"strings"

	"infisync/source"
)

// secretFlags are what other tools take on the command line, and infisync never does.
var secretFlags = [...]string{"client-secret", "token", "jwt"}

// inArgv is the error of a flag that would hold a credential.
func inArgv(flag string) error {
	return source.Errorf(source.CodeSecretInArgv, "there is no flag --%s: credentials do not belong on the command line, where other users of the machine can read them", flag)
}

// misplaced refuses a credential in the place of another setting before anything quotes
// it, as a path that is not there: in any flag, and in a variable that is for a file.
func (s *Setting) misplaced(o origin, env Environ) error {
	if o.rank != byFlag && (o.rank != byVariable || s.Arg != "FILE" && s.Arg != "DIR") {
		return nil
	}
	const shortest = 8 // what is shorter may be an ordinary word
	for _, name := range slices.Concat(secretVariables, tokenVariables, []string{jwtVariable, oidcVariable}) {
		credential, _ := env(name)
		credential = strings.TrimSpace(credential)
		if len(credential) < shortest || !strings.Contains(strings.Join(o.texts, "\n"), credential) {
			continue
		}
		if o.rank == byFlag {
			return source.Errorf(source.CodeSecretInArgv, "%s holds the credential that %s does, and every user of the machine can read the command line", o.name, name)
		}
		return o.wrong("a path: it holds the credential that " + name + " does")
	}
	return nil
}
