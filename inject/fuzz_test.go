package inject

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// FuzzBuild holds Build to this, for any inherited entries and variables: names
// are unique and sorted, and each entry is byte for byte the one that the rules
// choose, as written down once more in expectedEntries. Or it is an error, then
// with no environment and no warnings beside it, and without the bytes of a value.
func FuzzBuild(f *testing.F) {
	seeds := []struct {
		inherited, server, dotenv string
		preserve, pristine        bool
		prefix                    string
	}{
		{"A=1\x00B=x=y\n\x00\x00BARE", "A\x00new\x00C\x00\xff\xfe", "C\x002\x00A=B\x00v", false, false, ""},
		{"A=1\x00A=2\x00=C:=x", "A\x003\x00A\x004", "", true, false, ""},
		{"PATH=/bin\x00HOME=/\x00X=1", "PATH\x00p\x00LD_PRELOAD\x00x", "NODE_OPTIONS\x00--x", false, true, ""},
		{"", "NODE_OPTIONS\x00--require", "PYTHONPATH\x00x", false, false, ""},
		{"P_A=1", "A\x001", "A\x002", false, false, "P_"},
		{"", "PATH\x00x", "", false, false, "PYTHON"},
		{"BARE", "BARE\x00", "\x00v", false, false, ""},
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s.inherited, s.server, s.dotenv, s.preserve, s.pristine, s.prefix)
	}
	f.Fuzz(func(t *testing.T, inherited, server, dotenv string, preserve, pristine bool, prefix string) {
		entries := strings.Split(inherited, "\x00")
		layers := []Layer{{Origin: Server, Vars: pairs(server)}, {Origin: Dotenv, Vars: pairs(dotenv)}}
		policy := Policy{Preserve: preserve, Pristine: pristine, Prefix: prefix}
		env, warnings, err := Build(entries, layers, policy)
		want, ok := expectedEntries(entries, layers, policy)
		if err != nil {
			if ok {
				t.Errorf("%v, where %q is right", err, want)
			}
			if env.Len() != 0 || warnings != nil {
				t.Errorf("an error came with %v and %v", env, warnings)
			}
			return
		}
		if !ok {
			t.Errorf("Build gave %q, where there is an error", env.Environ())
		}
		if got := env.Environ(); !slices.Equal(got, want) {
			t.Errorf("Build gave %q, want %q", got, want)
		}
		if names := env.Names(); !slices.IsSorted(names) || len(slices.Compact(names)) != env.Len() {
			t.Errorf("names %q are not sorted and unique", env.Names())
		}
	})
}

// FuzzBuildQuiet holds Build's errors and printing to this: whatever a value is,
// no text made for people holds it.
func FuzzBuildQuiet(f *testing.F) {
	const mark = "cAnArY7f3a9bXyZw"
	seeds := [][2]string{{"A", ""}, {"A", "\x00"}, {"A=B", "x"}, {"", "x"}, {"NODE_OPTIONS", "x"}, {"LD_PRELOAD", "\n"}}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, rest string) {
		if strings.Contains(name, mark) {
			return
		}
		layer := Layer{Origin: Server, Vars: []Var{NewVar(name, mark+rest), NewVar(name, rest+mark)}}
		env, warnings, err := Build([]string{"B=" + mark}, []Layer{layer}, Policy{})
		texts := []string{env.String()}
		for _, w := range warnings {
			texts = append(texts, w.String())
		}
		if err != nil {
			texts = append(texts, err.Error())
		}
		if text := strings.Join(texts, "\n"); strings.Contains(text, mark) {
			t.Errorf("a value is in %q", text)
		}
	})
}

// pairs reads names and values in turn, each ended by NUL: the last value may
// hold what it wants.
func pairs(text string) []Var {
	var out []Var
	for text != "" {
		name, rest, _ := strings.Cut(text, "\x00")
		value, rest, _ := strings.Cut(rest, "\x00")
		if strings.HasPrefix(value, "NUL") { // what the separator cannot say
			value += "\x00"
		}
		out, text = append(out, NewVar(name, value)), rest
	}
	return out
}

// expectedEntries is what Build is to give, written plainly; false stands for an
// error.
func expectedEntries(inherited []string, layers []Layer, p Policy) ([]string, bool) {
	before := make(map[string]string) // name → entry
	for _, text := range inherited {
		name := text
		if text != "" {
			head, _, _ := strings.Cut(text[1:], "=")
			name = text[:1] + head
		}
		_, known := before[name]
		if kept := !p.Pristine || slices.Contains(pristineNames(), name); name != "" && !known && kept {
			before[name] = text
		}
	}
	after := maps.Clone(before)
	for _, layer := range layers {
		for _, v := range layer.Vars {
			name := p.Prefix + v.Name()
			_, known := before[name]
			switch kind := kindOf(name); {
			case kind == nameWithheld:
				continue
			case kind == nameOption && layer.Origin == Server:
				return nil, false
			case known && p.Preserve:
				continue
			}
			text := name + "=" + v.Reveal()
			if name == "" || strings.Contains(name, "=") || strings.Contains(text, "\x00") ||
				maxEntrySize() > 0 && len(text)+1 > maxEntrySize() {
				return nil, false
			}
			after[name] = text
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		out = append(out, after[name])
	}
	return out, true
}
