package source

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// What infisync keeps as JSON it writes and reads itself where it can, by what is in this
// file: the library takes its time to find out what a type consists of, at each start,
// and to go through thousands of equal records. Whatever is not usual is left to it.

// PlainJSON tells whether a text is in JSON what it is between quotes: most are.
func PlainJSON[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// AppendJSON appends a text as the string that encoding/json makes of it.
func AppendJSON(to []byte, s string) []byte {
	if PlainJSON(s) {
		return append(append(append(to, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // of a string there always is one
	return append(to, quoted...)
}

// A JSONReader goes through a JSON text of a known shape, from part to part, with blanks
// and newlines between them. Once a part is not what was asked for, all are nothing, and
// Done is false.
type JSONReader struct {
	Rest   []byte // what is still to be read
	failed bool
}

// Try goes behind a part such as `{"name":` if it comes next.
func (r *JSONReader) Try(part string) bool {
	rest := bytes.TrimLeft(r.Rest, " \n")
	if r.failed || len(rest) < len(part) || string(rest[:len(part)]) != part {
		return false
	}
	r.Rest = rest[len(part):]
	return true
}

// Skip goes behind a part that must come next.
func (r *JSONReader) Skip(part string) { r.failed = !r.Try(part) }

// Fail says that a part is not what it should be.
func (r *JSONReader) Fail() { r.failed = true }

// Text reads a string.
func (r *JSONReader) Text() string {
	r.Skip(`"`)
	end := 0
	for end < len(r.Rest) && r.Rest[end] != '"' {
		if r.Rest[end] == '\\' {
			end++
		}
		end++
	}
	if r.failed || end >= len(r.Rest) {
		r.failed = true
		return ""
	}
	inner, quoted := r.Rest[:end], r.Rest[:end+1]
	r.Rest = r.Rest[end+1:]
	if PlainJSON(inner) {
		return string(inner)
	}
	var text string
	r.failed = json.Unmarshal(append([]byte{'"'}, quoted...), &text) != nil
	return text
}

// Int64 reads a number as strconv writes it.
func (r *JSONReader) Int64() int64 {
	r.Skip("")
	end := 0
	for end < len(r.Rest) && (r.Rest[end] == '-' || '0' <= r.Rest[end] && r.Rest[end] <= '9') {
		end++
	}
	text := string(r.Rest[:end])
	n, err := strconv.ParseInt(text, 10, 64)
	if r.failed || err != nil || strconv.FormatInt(n, 10) != text {
		r.failed = true
		return 0
	}
	r.Rest = r.Rest[end:]
	return n
}

// Int is Int64 for an int.
func (r *JSONReader) Int() int {
	n := r.Int64()
	if int64(int(n)) != n {
		r.failed = true
		return 0
	}
	return int(n)
}

// Time reads a time in UTC as [time.RFC3339Nano] formats it.
func (r *JSONReader) Time() time.Time {
	text := r.Text()
	at, err := time.Parse(time.RFC3339Nano, text)
	var again [len(time.RFC3339Nano)]byte
	if r.failed || err != nil || at.Location() != time.UTC || string(at.AppendFormat(again[:0], time.RFC3339Nano)) != text {
		r.failed = true
		return time.Time{}
	}
	return at
}

// Bool reads true or false.
func (r *JSONReader) Bool() bool {
	is := r.Try("true")
	if !is {
		r.Skip("false")
	}
	return is
}

// OK tells whether every part so far was what was asked for.
func (r *JSONReader) OK() bool { return !r.failed }

// Done is OK, and nothing is left to be read.
func (r *JSONReader) Done() bool { return !r.failed && len(r.Rest) == 0 }
