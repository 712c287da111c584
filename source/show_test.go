package source

import "testing"

func TestShow(t *testing.T) {
	for in, want := range map[string]string{
		"NAME": "NAME", "é": "é", "": `""`, "a b": `"a b"`, "a\x1b[2J": `"a\x1b[2J"`, `a"`: `"a\""`, "a\xff": `"a\xff"`, "a\u202e": `"a\u202e"`,
	} {
		if got := Word(in); got != want {
			t.Errorf("Word(%q) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"plain text": "plain text", "two\nlines": "two lines", "\x1b[31mred": " [31mred", "a\u2028b": "a b", "a\xffb": "a?b", "a\u202eb": "a b", "a\u0085b": "a b",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}
