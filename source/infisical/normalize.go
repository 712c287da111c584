package infisical

import (
	"strings"
	"unicode"

	"infisync/source"
)

// Normalize returns what the server keeps of a value that is written: without
// the white space around it, but for one line feed at the end when the value ends
// in one. Compare with it, or a value is never equal to what was pushed.
func Normalize(value source.Value) source.Value {
	text := value.Reveal()
	kept := strings.TrimFunc(text, trimmed)
	if strings.HasSuffix(text, "\n") {
		kept += "\n"
	}
	return source.NewValue(kept)
}

// trimmed tells what JavaScript's trim takes away: all that Unicode calls a space
// but NEL (U+0085), and the byte order mark, which Unicode does not call one.
func trimmed(r rune) bool {
	return r == '\uFEFF' || (unicode.IsSpace(r) && r != '\u0085')
}
