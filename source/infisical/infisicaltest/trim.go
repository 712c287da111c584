package infisicaltest

import (
	"strings"
	"unicode"
)

// jsTrim does what JavaScript's String.prototype.trim does. It differs from
// strings.TrimSpace in two characters: U+FEFF is trimmed, U+0085 is not.
func jsTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r)
	})
}

// storedValue is what the server keeps of a value: trimmed, but for one newline
// at the end when there was one.
func storedValue(s string) string {
	trimmed := jsTrim(s)
	if strings.HasSuffix(s, "\n") {
		return trimmed + "\n"
	}
	return trimmed
}
