package export

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	identifierCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	byteOrderMark        = "\uFEFF"
)

// The reasons that several formats share.
const (
	reasonNul  = "its value holds a NUL byte"
	reasonUTF8 = "its value is not UTF-8"
	reasonName = "a variable's name has only letters, digits and underscores and does not begin with a digit"
)

// shellLine returns export NAME='value'. In single quotes no shell looks at
// anything but the next single quote; one in the value ends the quotes, stands
// after a backslash, and opens them again.
func shellLine(name, value string) (text, reason string) {
	switch {
	case !isIdentifier(name):
		return "", reasonName
	case belongsToShell(name):
		return "", "the shell itself sets or evaluates a variable of this name"
	case strings.Contains(value, "\x00"):
		return "", reasonNul
	}
	return "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'", ""
}

// belongsToShell tells the names whose values do not arrive, or run as code.
func belongsToShell(name string) bool {
	switch name {
	case
		// Set by the shell: an assignment is refused, which ends a script in
		// POSIX mode, or has no effect.
		"BASHOPTS", "BASHPID", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID",
		"FUNCNAME", "GROUPS", "LINENO", "PPID", "SECONDS", "SHELLOPTS", "UID", "_",
		// Numbers to bash: the value is evaluated, and a[$(command)] runs it.
		"HISTCMD", "OPTIND", "RANDOM", "SRANDOM",
		// Expanded whenever an interactive or a traced shell shows them, or a
		// shell looks for the file that it reads first.
		"PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "MAILPATH", "ENV":
		return true
	}
	return strings.HasPrefix(name, "BASH_")
}

// maxDockerLine is the longest line with its newline, in bytes, that docker and
// podman read: the limit of the line scanner that both use.
const maxDockerLine = 64 << 10

// dockerLine returns NAME=value as it is. There is no quoting: docker and podman
// drop white space before the name and one carriage return before the newline,
// and take all else after the first "=" for the value.
func dockerLine(name, value string) (text, reason string) {
	text = name + "=" + value
	switch {
	case name == "" || strings.HasPrefix(name, "#") || strings.HasPrefix(name, byteOrderMark) ||
		strings.ContainsFunc(name, notInDockerName) || !utf8.ValidString(name):
		return "", "its name is empty, begins like a comment, or holds a blank, a control character or an equals sign"
	case strings.Contains(value, "\n"):
		return "", "its value holds a newline, and this format has no quoting"
	case strings.HasSuffix(value, "\r"):
		return "", "its value ends in a carriage return, and this format has no quoting"
	case strings.Contains(value, "\x00"):
		return "", reasonNul
	case !utf8.ValidString(value):
		return "", reasonUTF8
	case len(text) >= maxDockerLine:
		return "", "name and value together are longer than the 64 KiB that docker reads in one line"
	}
	return text, ""
}

func notInDockerName(r rune) bool {
	return r == '=' || unicode.IsSpace(r) || unicode.IsControl(r)
}

// systemdLine returns NAME="value", quoted by the rules of systemd.exec(5): in
// double quotes a backslash before one of "\`$ is dropped, every other character
// stands for itself, and so does a newline.
func systemdLine(name, value string) (text, reason string) {
	switch {
	case !isIdentifier(name):
		return "", reasonName
	case strings.Contains(value, "\x00"):
		return "", reasonNul
	case !utf8.ValidString(value):
		return "", reasonUTF8
	case strings.ContainsFunc(value, notInSystemd):
		return "", "its value holds a byte order mark or a code point that Unicode reserves, which systemd refuses"
	}
	escaped := strings.NewReplacer(`"`, `\"`, `\`, `\\`, "`", "\\`", "$", `\$`).Replace(value)
	return name + `="` + escaped + `"`, ""
}

// notInSystemd tells the byte order mark and Unicode's noncharacters.
func notInSystemd(r rune) bool {
	return r == '\uFEFF' || r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// isIdentifier tells whether a shell can have a variable of this name.
func isIdentifier(name string) bool {
	return name != "" && strings.Trim(name, identifierCharacters) == "" && (name[0] < '0' || name[0] > '9')
}
