package source

import (
	"fmt"
	"testing"
)

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

func TestEnumerate(t *testing.T) {
	var names []string
	for i := range 3000 {
		names = append(names, fmt.Sprintf("N%d", i))
	}
	all := "N0; N1; N2; N3; N4; N5; N6; N7; N8; N9; N10; N11; N12; N13; N14; N15; N16; N17; N18; N19"
	for n, want := range map[int]string{0: "", 1: "N0", 2: "N0; N1", 20: all, 21: all + " and 1 more", 3000: all + " and 2980 more"} {
		if got := Enumerate(names[:n], "; "); got != want {
			t.Errorf("of %d names: %q, want %q", n, got, want)
		}
	}
}
