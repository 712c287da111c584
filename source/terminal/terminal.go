// Package terminal asks a person, and reads what is not to be seen.
package terminal

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"infisync/source"
)

// Is tells whether f is a terminal.
func Is(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Redraws tells whether f is a terminal on which a line can be written anew in place.
func Redraws(f *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && Is(f)
}

// Wait shows what is waited for on the terminal f once that has lasted after long, and
// returns what takes the line away. It must be called, once, and then nothing is
// written any more. The line leaves the cursor at its beginning, so that a message,
// which is longer, covers it.
func Wait(f io.Writer, after time.Duration, what string) (end func()) {
	var mu sync.Mutex
	var shown, over bool
	timer := time.AfterFunc(after, func() {
		mu.Lock()
		defer mu.Unlock()
		if shown = !over; shown {
			fmt.Fprintf(f, "infisync: %s\r", what)
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		if over = true; shown {
			io.WriteString(f, "\x1b[K")
		}
	}
}

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

// Ask asks on a terminal for one line; usual, which may be empty, stands for an empty
// one. The end of the input is an error.
func Ask(in, err *os.File, what, usual string) (string, error) {
	prompt := "infisync: " + what
	if usual != "" {
		prompt += " [" + usual + "]"
	}
	fmt.Fprint(err, prompt+": ")
	answer, failure := bufio.NewReader(in).ReadString('\n')
	if failure != nil {
		fmt.Fprintln(err)
		return "", source.Errorf(source.CodeUsage, "not done: %s was not answered", what)
	}
	return cmp.Or(strings.TrimSpace(answer), usual), nil
}

// A Choice is one of those that Choose offers.
type Choice struct {
	Name  string // how it is chosen
	About string // what is shown beside it
}

// Choose asks on a terminal for one of the choices, by its number or its name, until
// one is named; usual, which may be empty, is the name for an empty answer.
func Choose(in, err *os.File, what string, choices []Choice, usual string) (string, error) {
	width := 0
	for _, choice := range choices {
		width = max(width, len(choice.Name))
	}
	for i, choice := range choices {
		fmt.Fprintf(err, "  %d  %-*s  %s\n", i+1, width, source.Line(choice.Name), source.Line(choice.About))
	}
	if !slices.ContainsFunc(choices, func(c Choice) bool { return c.Name == usual }) {
		usual = ""
	}
	for {
		answer, failure := Ask(in, err, what, usual)
		if failure != nil {
			return "", failure
		}
		number, _ := strconv.Atoi(answer)
		for i, choice := range choices {
			if choice.Name == answer || i+1 == number {
				return choice.Name, nil
			}
		}
		fmt.Fprintf(err, "infisync: a number from 1 to %d, or a name from the list\n", len(choices))
	}
}

// Confirm asks on a terminal whether to do what. Anything but yes is an error, and
// so is a standard input that is no terminal.
func Confirm(in, err *os.File, what string) error {
	if !Is(in) {
		return source.Errorf(source.CodeUsage, "standard input is not a terminal: --yes is needed to %s", what)
	}
	fmt.Fprintf(err, "infisync: %s? [y/N] ", what)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return source.Errorf(source.CodeUsage, "not done: to %s needs a yes", what)
	}
	return nil
}
