package config

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An entry is one key of a YAML file and what it is given.
type entry struct {
	key     string
	line    int // from 1
	scalars []scalar
	list    bool // written as a list, of any length
}

// A scalar is one value as it is written, without quotes and escapes.
type scalar struct {
	text   string
	quoted bool
}

// isBool and isNull tell what, unquoted, is no text.
func (s scalar) isBool() bool {
	return !s.quoted && (strings.EqualFold(s.text, "true") || strings.EqualFold(s.text, "false"))
}
func (s scalar) isNull() bool {
	return !s.quoted && (s.text == "" || s.text == "~" || strings.EqualFold(s.text, "null"))
}

// A yamlFault says what is wrong in a line. It quotes nothing of the file.
type yamlFault struct {
	line int
	text string
}

// readYAML reads the part of YAML that settings are written in: one mapping, each
// key at the beginning of its line, its value behind it on that line or as a list
// below:
//
//	env: prod            # a comment
//	path: "/a b"
//	only: [DB_URL, 'API_*']
//	except:
//	  - DEBUG
//
// What it accepts, every reader of YAML 1.2 takes for the same. All else is a fault:
// anchors, aliases, tags, values over several lines, a key given twice, a second
// document. So nothing in a file grows when it is read, and infisync needs no
// library that a start without a file would pay for. An empty file has no entries.
func readYAML(data []byte) ([]entry, *yamlFault) {
	text := strings.TrimPrefix(string(data), "\ufeff") // editors on Windows write one
	r := yamlReader{seen: make(map[string]bool)}
	for i, line := range strings.Split(text, "\n") {
		r.line = i + 1
		if wrong := r.read(strings.TrimSuffix(line, "\r")); wrong != "" {
			return nil, &yamlFault{r.line, wrong}
		}
	}
	return r.entries, nil
}

// A yamlReader reads a file line by line.
type yamlReader struct {
	line    int
	begun   bool // there was a line that is no comment
	entries []entry
	seen    map[string]bool
	open    bool // the last key has nothing behind it: a list may follow
	indent  int  // of that list's items; -1: there was none yet
}

func (r *yamlReader) read(line string) (wrong string) {
	if wrong := strange(line); wrong != "" {
		return wrong
	}
	content := strings.TrimLeft(line, " ")
	if content == "" || content[0] == '#' {
		return ""
	}
	first := !r.begun
	r.begun = true
	indent := len(line) - len(content)
	switch {
	case first && strings.TrimRight(line, " ") == "---":
		return ""
	case content == "-" || strings.HasPrefix(content, "- "):
		if !r.open || indent != r.indent && r.indent >= 0 {
			return "this list item belongs to no key"
		}
		r.indent = indent
		return r.entries[len(r.entries)-1].item(strings.TrimLeft(content[1:], " "))
	case indent > 0:
		return "it is indented: a key stands at the beginning of its line, and its value behind it"
	}
	e, wrong := readEntry(line)
	if r.seen[e.key] {
		return "this key was given before"
	}
	e.line = r.line
	r.entries, r.seen[e.key] = append(r.entries, e), true
	r.open, r.indent = len(e.scalars) == 0 && !e.list, -1
	return wrong
}

// strange says what no line of the file may hold, wherever it stands: readers of
// YAML differ about it.
func strange(line string) string {
	if !utf8.ValidString(line) {
		return "it is not UTF-8"
	}
	for _, r := range line {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == '\ufeff' {
			return "it holds a tab or another control character: use blanks"
		}
	}
	return ""
}

// readEntry reads a key and what stands behind it on its line.
func readEntry(line string) (e entry, wrong string) {
	name, rest, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " ")
	if !ok || !isKey(name) || rest != "" && rest[0] != ' ' {
		return e, `it is not "key: value"`
	}
	e.key = name
	value := strings.TrimLeft(rest, " ")
	switch {
	case value == "" || value[0] == '#':
		return e, ""
	case value[0] == '[':
		e.list = true
		e.scalars, value, wrong = readFlow(value[1:])
	default:
		var s scalar
		s, value, wrong = readScalar(value, "")
		e.scalars = []scalar{s}
	}
	if wrong == "" {
		wrong = onlyComment(value)
	}
	return e, wrong
}

func isKey(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && c != '_' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// item reads an item of the list below a key, from behind its dash.
func (e *entry) item(text string) (wrong string) {
	if text == "" || text[0] == '#' {
		return "this list item is empty"
	}
	e.list = true
	s, rest, wrong := readScalar(text, "")
	e.scalars = append(e.scalars, s)
	if wrong == "" {
		wrong = onlyComment(rest)
	}
	return wrong
}

// readFlow reads a list on one line, from behind its bracket.
func readFlow(text string) (scalars []scalar, rest, wrong string) {
	for {
		text = strings.TrimLeft(text, " ")
		if strings.HasPrefix(text, "]") {
			return scalars, text[1:], ""
		}
		if text == "" || text[0] == '#' {
			return nil, "", "the list is not closed on its line"
		}
		var s scalar
		if s, text, wrong = readScalar(text, ",[]{}"); wrong != "" {
			return nil, "", wrong
		}
		scalars = append(scalars, s)
		text = strings.TrimLeft(text, " ")
		if after, ok := strings.CutPrefix(text, ","); ok {
			text = after
		} else if text != "" && text[0] != ']' && text[0] != '#' {
			return nil, "", "a list is written [a, b], on one line"
		}
	}
}

// readScalar reads a value from the beginning of a text that is not empty, and
// returns what is behind it. Without quotes it ends at one of the characters given.
func readScalar(text, ends string) (s scalar, rest, wrong string) {
	switch text[0] {
	case '\'':
		return readQuoted(text[1:], '\'', '\'')
	case '"':
		return readQuoted(text[1:], '"', '\\')
	}
	const needQuotes = "it has a meaning of its own in YAML: put it in quotes"
	if strings.IndexByte("-?:,[]{}#&*!|>%@`", text[0]) >= 0 {
		return s, "", needQuotes
	}
	end := len(text)
	if i := strings.Index(text, " #"); i >= 0 {
		end = i
	}
	if i := strings.IndexAny(text[:end], ends); i >= 0 {
		end = i
	}
	s.text = strings.TrimRight(text[:end], " ")
	if strings.Contains(s.text, ": ") || strings.HasSuffix(s.text, ":") {
		return s, "", needQuotes
	}
	return s, text[end:], ""
}

// readQuoted reads up to the closing quote. In single quotes a quote is doubled; in
// double ones it stands behind a backslash, as a backslash does: other escapes
// would write what no setting holds.
func readQuoted(text string, quote, escape byte) (s scalar, rest, wrong string) {
	s.quoted = true
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == escape && i+1 < len(text) && (text[i+1] == quote || text[i+1] == escape):
			i++
			b.WriteByte(text[i])
		case c == quote:
			s.text = b.String()
			return s, text[i+1:], ""
		case c == escape:
			return s, "", `behind a backslash may stand " or another backslash`
		default:
			b.WriteByte(c)
		}
	}
	return s, "", "the quotes are not closed on their line"
}

// onlyComment says what is wrong with the rest of a line behind a value.
func onlyComment(rest string) (wrong string) {
	trimmed := strings.TrimLeft(rest, " ")
	if trimmed == "" || trimmed[0] == '#' && trimmed != rest {
		return ""
	}
	return "there is more behind the value: put all of it in quotes"
}
