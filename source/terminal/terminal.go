// Package terminal asks a person, and reads what is not to be seen.
package terminal

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"infisync/source"
)

// Is tells whether f is a terminal.
func Is(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// ReadSecret reads a value: on a terminal one line, asked for with prompt on err
// and not shown; else all of in, of which one line end at the end does not count.
func ReadSecret(in, err *os.File, prompt string) (source.Value, error) {
	if Is(in) {
		fmt.Fprint(err, prompt)
		line, failure := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(err)
		if failure != nil {
			return source.Value{}, source.Errorf(source.CodeUsage, "reading the value: %w", failure)
		}
		return source.NewValue(string(line)), nil
	}
	data, failure := io.ReadAll(in)
	if failure != nil {
		return source.Value{}, source.Errorf(source.CodeUsage, "reading the value from standard input: %w", failure)
	}
	return source.NewValue(strings.TrimSuffix(string(data), "\n")), nil
}

// Confirm asks on a terminal whether to do what. Anything but yes is an error, and
// so is a standard input that is no terminal.
func Confirm(in, err *os.File, what string) error {
	if !Is(in) {
		return source.Errorf(source.CodeUsage, "standard input is no terminal to ask on: --yes is needed to %s", what)
	}
	fmt.Fprintf(err, "infisync: %s? [y/N] ", what)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return source.Errorf(source.CodeUsage, "not done: to %s needs a yes", what)
	}
	return nil
}
