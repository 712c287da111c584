package infisicaltest

import (
	"fmt"
	"net/url"
	"slices"
)

// A form reads the parameters of a request, from its query or its body, and
// gathers what is wrong with them. Unknown parameters are ignored.
type form struct {
	values map[string]any
	path   []any // where in the body the values are
	issues *[]issue
}

func newForm(values map[string]any, path ...any) *form {
	return &form{values: values, path: path, issues: new([]issue)}
}

// queryForm reads a query. A repeated parameter is a list, which no route takes.
func queryForm(query url.Values) *form {
	values := make(map[string]any, len(query))
	for name, given := range query {
		if len(given) == 1 {
			values[name] = given[0]
			continue
		}
		list := make([]any, len(given))
		for i, v := range given {
			list[i] = v
		}
		values[name] = list
	}
	return newForm(values)
}

// kindOf names a JSON value's type as the validator does.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func (f *form) at(name string) []any { return append(slices.Clone(f.path), name) }

func (f *form) wrongType(name, want string, got any, given bool) {
	problem := issue{Code: "invalid_type", Expected: want, Received: "undefined", Path: f.at(name), Message: "Required"}
	if given {
		problem.Received = kindOf(got)
		problem.Message = fmt.Sprintf("Expected %s, received %s", want, problem.Received)
	}
	*f.issues = append(*f.issues, problem)
}

func (f *form) reject(name, message string) {
	*f.issues = append(*f.issues, issue{Code: "custom", Path: f.at(name), Message: message})
}

func (f *form) has(name string) bool { _, ok := f.values[name]; return ok }

// text reads a parameter that is needed.
func (f *form) text(name string) string {
	v, given := f.values[name]
	s, ok := v.(string)
	if !ok {
		f.wrongType(name, "string", v, given)
	}
	return s
}

// textOr reads a parameter that may be absent.
func (f *form) textOr(name, absent string) string {
	if !f.has(name) {
		return absent
	}
	return f.text(name)
}

// nullableText reads a parameter that may be absent or null.
func (f *form) nullableText(name string) *string {
	if v, ok := f.values[name]; !ok || v == nil {
		return nil
	}
	s := f.text(name)
	return &s
}

// nullableNumber reads a parameter that may be absent or null.
func (f *form) nullableNumber(name string) *float64 {
	v, given := f.values[name]
	if v == nil {
		return nil
	}
	n, ok := v.(float64)
	if !ok {
		f.wrongType(name, "number", v, given)
	}
	return &n
}

// nullableBool reads a parameter that may be absent or null.
func (f *form) nullableBool(name string) *bool {
	v, given := f.values[name]
	if v == nil {
		return nil
	}
	b, ok := v.(bool)
	if !ok {
		f.wrongType(name, "boolean", v, given)
	}
	return &b
}

// oneOf reads a parameter with few possible values; absent, it is the first.
func (f *form) oneOf(name string, options ...string) string {
	v, given := f.values[name]
	if !given {
		return options[0]
	}
	s, ok := v.(string)
	if !ok {
		f.wrongType(name, quotedChoice(options), v, true)
		return options[0]
	}
	if !slices.Contains(options, s) {
		*f.issues = append(*f.issues, issue{
			Code: "invalid_enum_value", Received: s, Options: options, Path: f.at(name),
			Message: fmt.Sprintf("Invalid enum value. Expected %s, received '%s'", quotedChoice(options), s),
		})
	}
	return s
}

func quotedChoice(options []string) string {
	text := ""
	for i, option := range options {
		if i > 0 {
			text += " | "
		}
		text += "'" + option + "'"
	}
	return text
}

// flag reads a boolean of a query: exactly "true" or "false".
func (f *form) flag(name string, absent bool) bool {
	if !f.has(name) {
		return absent
	}
	return f.oneOf(name, "true", "false") == "true"
}

// object reads a parameter that is an object and needed.
func (f *form) object(name string) *form {
	v, given := f.values[name]
	values, ok := v.(map[string]any)
	if !ok {
		f.wrongType(name, "object", v, given)
	}
	return &form{values: values, path: f.at(name), issues: f.issues}
}

// list reads a list of anything that may be absent.
func (f *form) list(name string) []any {
	v, given := f.values[name]
	if !given {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		f.wrongType(name, "array", v, true)
	}
	return list
}

// items reads a list of objects that is needed and has at least one.
func (f *form) items(name string) []*form {
	list := f.list(name)
	if !f.has(name) {
		f.wrongType(name, "array", nil, false)
	} else if list != nil && len(list) == 0 {
		*f.issues = append(*f.issues, issue{
			Code: "too_small", Path: f.at(name), Message: "Array must contain at least 1 element(s)",
		})
	}
	var forms []*form
	for i, v := range list {
		values, ok := v.(map[string]any)
		item := &form{values: values, path: append(f.at(name), i), issues: f.issues}
		if !ok {
			*f.issues = append(*f.issues, issue{
				Code: "invalid_type", Expected: "object", Received: kindOf(v), Path: item.path,
				Message: "Expected object, received " + kindOf(v),
			})
		}
		forms = append(forms, item)
	}
	return forms
}

// check returns the error that says what was wrong, if anything was.
func (f *form) check(s *Server) error {
	if len(*f.issues) > 0 {
		return s.invalid(*f.issues)
	}
	return nil
}
