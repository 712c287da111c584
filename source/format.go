package source

import (
	"encoding/json"
	"io"
	"strings"
)

// WriteJSON writes v to w as every command with a JSON format does: indented, with <, >
// and & as they are. Errors are w's.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// NoFormat is the error for a format that is none of the known ones.
func NoFormat(format string, known ...string) *Error {
	return Errorf(CodeUsage, "there is no format %q: use one of %s", format, strings.Join(known, ", "))
}
