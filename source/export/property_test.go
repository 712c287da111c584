package export_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/export"
)

// generated is how many names and values each format is tried with.
const generated = 400

// fragments mean something to some reader. Values and names are made of them.
var (
	valueFragments = []string{
		"'", `"`, "`", "''", `'\''`, `'"'"'`, `\`, `\\`, `\'`, `\"`, `\n`, `\x41`, `\u0041`, `\$`, "$", "$$", "$HOME", "${HOME}", "${X:-y}",
		"$(touch canary)", "`touch canary`", ";touch canary;", "&&", "|", ">canary", "a[$(touch canary)]", "!!", "~", "*", "?", "[a]", "{a,b}",
		"\n", "\r\n", "\r", "\t", " ", "  ", "\v", "\f", "\b", "\x1b[31m", "\x01", "\x02", "\x7f", "\n\n", "\nexport B=x\n", "\nEOF\n",
		"#", " #", "=", ":", ": ", "- ", "---", "\n---\n", "...", "%", "%s", "%YAML", "@", "&a", "*a", "!!str", "|-", "{", "}", "[", "]", ",",
		"null", "true", "no", "1e3", "0x1", "0o7", ".inf", "2001-01-01", "-----BEGIN KEY-----", "ü", "€", "日本", "😀", "\u0301",
		"\u0080", "\u0085", "\u00a0", "\u2028", "\u2029", "\u202e", "\ufeff", "\ufdd0", "\ufffd", "\ufffe", "\U0001ffff", "\U0010ffff", "abc", "Z9_",
	}
	hardFragments = []string{"\x00", "\xff", "\xc3", "\xed\xa0\x80"} // NUL and what is not UTF-8
	nameFragments = []string{" ", "=", "-", ".", ":", "#", "'", `"`, "$", "\n", "ü", "1", "%", "/", "[0]", "{", "\xff", "\x00", "\u2028", "*", "..", "~"}
)

// A pair is a generated name with its value.
type pair struct {
	name, value string
	plain       bool // letters and digits, which every format must carry
}

// pairs generates names, all different, and values; the same in each run.
func pairs() []pair {
	random := rand.New(rand.NewPCG(7, 13))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	all := []pair{{name: "NO"}, {name: "null"}, {name: "true"}, {name: "y"}, {name: ".."}, {name: "#C"}, {name: "<<"}, {name: "__proto__"},
		{name: "A", value: strings.Repeat("long'\"$\\ ", 4000)}}
	for i := range generated {
		p := pair{name: "N" + strconv.Itoa(i), plain: i%5 == 0}
		if i%4 == 3 {
			p.name = pick(nameFragments) + p.name + pick(nameFragments)
		}
		for range random.IntN(7) {
			switch {
			case p.plain:
				p.value += strconv.Itoa(random.IntN(1000)) + "abc"
			case random.IntN(60) == 0:
				p.value += pick(hardFragments)
			default:
				p.value += pick(valueFragments)
			}
		}
		p.plain = p.plain && i%4 != 3
		all = append(all, p)
	}
	return all
}

// carried writes each pair alone, checks that a refusal is a named error, and
// returns all that were not refused.
func carried(t *testing.T, format string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, p := range pairs() {
		var out strings.Builder
		err := export.Write(&out, format, setOf(p.name, p.value), options)
		if err == nil {
			values[p.name] = p.value
			continue
		}
		if p.plain || source.CodeOf(err) != source.CodeExportImpossible || !strings.Contains(err.Error(), strconv.Quote(p.name)) || out.Len() > 0 {
			t.Errorf("%s of %q, %q: wrote %q, %v", format, p.name, p.value, out.String(), err)
		}
		if len(p.value) > 20 && strings.Contains(err.Error(), p.value) {
			t.Errorf("%s of %q: the error tells the value", format, p.name)
		}
	}
	t.Logf("%s carries %d of %d", format, len(values), len(pairs()))
	return values
}

// set returns the secrets of those names and values.
func set(values map[string]string) source.Set {
	var flat []string
	for name, value := range values {
		flat = append(flat, name, value)
	}
	return setOf(flat...)
}

// same reports what differs between what was written and what was read.
func same(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, value := range want {
		if read, ok := got[name]; !ok || read != value {
			t.Errorf("secret %q: wrote %q, read %q (there: %t)", name, value, read, ok)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("read %q, which was not written: %q", name, got[name])
		}
	}
}

// Whatever a format does not refuse it gives back, byte for byte, also when all
// of it is in one file.
func TestRoundTrip(t *testing.T) {
	for _, format := range export.Formats() {
		t.Run(format, func(t *testing.T) {
			want := carried(t, format)
			if len(want) < 200 {
				t.Errorf("only %d pairs are carried, want at least 200", len(want))
			}
			got, err := readers[format]([]byte(write(t, format, set(want))))
			if err != nil {
				t.Fatal(err)
			}
			same(t, want, got)
		})
	}
}

// FuzzRoundTrip looks for a name and a value that a format writes and that its
// reader reads otherwise.
func FuzzRoundTrip(f *testing.F) {
	for _, p := range pairs() {
		if len(p.value) < 1000 { // minimising a long one takes all the time
			f.Add(p.name, p.value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, format := range export.Formats() {
			var out strings.Builder
			err := export.Write(&out, format, setOf(name, value), options)
			if err != nil {
				if source.CodeOf(err) != source.CodeExportImpossible || out.Len() > 0 {
					t.Errorf("%s: wrote %q, %v", format, out.String(), err)
				}
				continue
			}
			got, err := readers[format]([]byte(out.String()))
			if err != nil || len(got) != 1 || got[name] != value {
				t.Errorf("%s of %q, %q: wrote %q, read %q, %v", format, name, value, out.String(), got, err)
			}
		}
	})
}
