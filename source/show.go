package source

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Word shows a name of anybody's making as one word: as it is when it is plain, else
// quoted, so that none moves a terminal's cursor or seems to be several columns.
func Word(name string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || !strconv.IsPrint(r) }
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// maxShown is how many names a message lists. What collects logs cuts lines of 16 KiB.
const maxShown = 20

// Enumerate joins the parts of a message, and only counts those after the 20th: "A, B and
// 3 more".
func Enumerate(parts []string, separator string) string {
	if more := len(parts) - maxShown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(parts[:maxShown], separator), more)
	}
	return strings.Join(parts, separator)
}

// Line shows a text of anybody's making on one line: what a terminal would act on
// becomes a blank.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
