package dotenv

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// A SyntaxError tells where a .env file cannot be read, and quotes nothing.
type SyntaxError struct {
	Line   int    // from 1
	Reason string // a fixed text
}

// Error returns "line N: reason".
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// scan cuts a .env file into its statements, each NAME=VALUE, by godotenv's
// rules, and finds with its line what godotenv refuses. Joined with newlines
// they mean what the file means: comments between them are left out, at each of
// which godotenv calls itself once more and, after some millions, dies of it; and
// values that mean themselves are in single quotes, in which it does not look
// for what it could expand: that took it longer than all the rest.
func scan(data []byte) ([]string, error) {
	// godotenv does this first; what it counts as a line is the same.
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	var statements []string
	for at := skipBlank(data, 0); at < len(data); at = skipBlank(data, at) {
		value, reason := skipName(data, at)
		end := value
		if reason == "" {
			end, reason = skipValue(data, value)
		}
		if reason != "" {
			return nil, &SyntaxError{lineAt(data, end), reason}
		}
		statements = append(statements, string(data[at:value])+literally(data[value:end]))
		at = end
	}
	return statements, nil
}

// skipBlank returns where, from at, white space and comments end.
func skipBlank(data []byte, at int) int {
	for {
		blank := bytes.IndexFunc(data[at:], func(r rune) bool { return !unicode.IsSpace(r) })
		if blank < 0 {
			return len(data)
		}
		at += blank
		if data[at] != '#' {
			return at
		}
		line := bytes.IndexByte(data[at:], '\n')
		if line < 0 {
			return len(data)
		}
		at += line
	}
}

// skipName returns where, from at, the name and its "=" end. With a reason why
// they do not it returns where that is.
func skipName(data []byte, at int) (int, string) {
	if rest, ok := bytes.CutPrefix(data[at:], []byte("export")); ok && bytes.IndexFunc(rest, isSpace) == 0 {
		at = len(data) - len(bytes.TrimLeftFunc(rest, isSpace))
	}
	for i, c := range data[at:] {
		// Byte by byte, not rune by rune, as godotenv does.
		switch r := rune(c); {
		case c == '=' || c == ':':
			if len(bytes.TrimFunc(data[at:at+i], unicode.IsSpace)) == 0 {
				return at + i, "no name before the equals sign"
			}
			return at + i + 1, ""
		case c == '_' || c == '.' || isSpace(r) || unicode.IsLetter(r) || unicode.IsNumber(r):
		default:
			return at + i, "a character that a name cannot have"
		}
	}
	return len(data), "a name without an equals sign"
}

// skipValue returns where, from at, the value ends. With a reason why it does
// not it returns where it begins.
func skipValue(data []byte, at int) (int, string) {
	at = len(data) - len(bytes.TrimLeftFunc(data[at:], isSpace))
	if at == len(data) {
		return at, ""
	}
	quote := data[at]
	if quote != '"' && quote != '\'' {
		if end := bytes.IndexAny(data[at:], "\r\n"); end >= 0 {
			return at + end, ""
		}
		return len(data), ""
	}
	for i := at + 1; i < len(data); i++ {
		if data[i] == quote && data[i-1] != '\\' {
			return i + 1, ""
		}
	}
	return at, "a quote that is not closed"
}

// literally returns a value in single quotes, if it means the same there, or else as
// it is.
func literally(value []byte) string {
	inner := value
	if n := len(value); n > 1 && value[0] == '"' {
		inner = value[1 : n-1]
		if bytes.ContainsAny(inner, `'\$`) {
			return string(value)
		}
	} else if n == 0 || bytes.ContainsFunc(value, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-+./:,@%=", r))
	}) {
		return string(value)
	}
	return "'" + string(inner) + "'"
}

// isSpace tells white space within a line, as godotenv has it.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\v', '\f', '\r', ' ', 0x85, 0xA0:
		return true
	}
	return false
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }
