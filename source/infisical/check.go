package infisical

import (
	"strings"
	"unicode/utf8"

	"infisync/source"
)

// CheckValue tells whether the server would keep what [Normalize] makes of the
// value. The error has the code request-refused, or value-masked for what stands
// in the place of a value that an identity may not read: written back, it would
// destroy the value. It names no secret and holds no value.
func CheckValue(value source.Value) error {
	switch {
	case strings.TrimFunc(value.Reveal(), trimmed) == masked:
		return source.Errorf(source.CodeValueMasked, "the value is what a server shows in place of a hidden one")
	case !utf8.ValidString(value.Reveal()):
		return source.Errorf(source.CodeRequestRefused, "the value is not UTF-8, which the server does not take")
	}
	return nil
}
