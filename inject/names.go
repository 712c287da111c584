package inject

import "strings"

// What a name means to those who start or run a program.
type nameKind int

const (
	nameFree     nameKind = iota
	nameWithheld          // belongs to the session, the loader, a shell or infisync: never taken from a layer
	nameOption            // makes an interpreter or tool run what the value says
)

// kindOf judges the name a child would see.
func kindOf(name string) nameKind {
	switch name {
	case
		// What the official CLI withholds.
		"HOME", "PATH", "PS1", "PS2", "PWD", "EDITOR", "XAUTHORITY", "USER", "TERM", "TERMINFO", "SHELL", "MAIL",
		// Hooks of loaders and shells.
		"GCONV_PATH", "BASH_ENV", "ENV", "PROMPT_COMMAND":
		return nameWithheld
	case
		"NODE_OPTIONS", "NODE_PATH",
		"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS",
		"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP",
		"PERL5OPT", "PERL5LIB",
		"RUBYOPT", "RUBYLIB",
		"GIT_SSH", "GIT_SSH_COMMAND",
		"OPENSSL_CONF",
		"IFS", "SHELLOPTS":
		return nameOption
	}
	for _, prefix := range []string{"XDG_", "LC_", "LD_", "DYLD_", "INFISICAL_", "INFISYNC_"} {
		if strings.HasPrefix(name, prefix) {
			return nameWithheld
		}
	}
	if strings.HasPrefix(name, "GIT_CONFIG_") {
		return nameOption
	}
	return nameFree
}

// pristineNames are what Policy.Pristine keeps of the inherited environment.
func pristineNames() []string {
	return []string{"PATH", "HOME", "USER", "TERM", "TZ", "LANG"}
}
