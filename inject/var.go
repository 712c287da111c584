package inject

import (
	"fmt"
	"io"
)

// A Var is one variable. fmt, slog and encoding/json print its name, never its
// value; [Var.Reveal] is the only way to the value. A Var is immutable.
type Var struct {
	name string
	// A pointer, because fmt skips the methods of what sits in an unexported
	// field: there it prints this address and never the text.
	value *string
}

// NewVar returns the variable of that name and value. Neither is checked here;
// [Build] does.
func NewVar(name, value string) Var { return Var{name: name, value: &value} }

// Name returns the name.
func (v Var) Name() string { return v.name }

// Reveal returns the value.
func (v Var) Reveal() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}

// String returns the name.
func (v Var) String() string { return v.name }

// GoString returns the name.
func (v Var) GoString() string { return v.name }

// Format writes the name for every verb.
func (v Var) Format(s fmt.State, _ rune) { io.WriteString(s, v.name) }

// MarshalText returns the name.
func (v Var) MarshalText() ([]byte, error) { return []byte(v.name), nil }
