package source

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Value is one secret's plaintext. fmt, slog and encoding/json print
// "[redacted]"; [Value.Reveal] is the only way out. The zero Value is the empty
// string. A Value is immutable and safe for concurrent use; compare two with
// [Value.Equal], since == compares where they are kept.
type Value struct {
	// A pointer, because fmt skips the methods of values in unexported fields:
	// there it prints this address and never the text.
	text *string
}

// NewValue returns the Value of plaintext.
func NewValue(plaintext string) Value { return Value{text: &plaintext} }

// Reveal returns the plaintext.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Empty tells whether the plaintext is the empty string.
func (v Value) Empty() bool { return v.Reveal() == "" }

// Equal tells whether both hold the same plaintext.
func (v Value) Equal(w Value) bool { return v.Reveal() == w.Reveal() }

// String returns "[redacted]".
func (v Value) String() string { return redacted }

// GoString returns "[redacted]".
func (v Value) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (v Value) Format(s fmt.State, _ rune) { io.WriteString(s, redacted) }

// LogValue returns "[redacted]".
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]".
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON takes a JSON string; null leaves the Value empty.
func (v *Value) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		// The decoder's own error may quote what it read.
		return fmt.Errorf("a secret's value is not a JSON string")
	}
	v.text = s
	return nil
}
