package inject

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuild(t *testing.T) {
	server := func(pairs ...string) Layer { return Layer{Origin: Server, Vars: vars(pairs...)} }
	tests := []struct {
		name      string
		inherited []string
		layers    []Layer
		policy    Policy
		want      []string
	}{
		{"nothing", nil, nil, Policy{}, []string{}},
		{"sorted and byte for byte", []string{"B=\xff\xfe", "A=x=y\n"}, nil, Policy{}, []string{"A=x=y\n", "B=\xff\xfe"}},
		{"empty values stay", []string{"A="}, []Layer{server("B=")}, Policy{}, []string{"A=", "B="}},
		{"the first of two inherited", []string{"A=1", "A=2"}, nil, Policy{}, []string{"A=1"}},
		{"an entry without =", []string{"", "BARE", "A=1"}, nil, Policy{}, []string{"A=1", "BARE"}},
		{"an entry without = is replaced", []string{"BARE"}, []Layer{server("BARE=1")}, Policy{}, []string{"BARE=1"}},
		{"= at the beginning", []string{"=C:=x", "=y"}, nil, Policy{}, []string{"=C:=x", "=y"}},
		{"secrets win", []string{"A=old", "B=b"}, []Layer{server("A=new")}, Policy{}, []string{"A=new", "B=b"}},
		{"later layers win", nil, []Layer{server("A=1", "B=1"), server("A=2")}, Policy{}, []string{"A=2", "B=1"}},
		{"the last of one layer", nil, []Layer{server("A=1", "A=2")}, Policy{}, []string{"A=2"}},
		{"preserve all", []string{"A=old"}, []Layer{server("A=new", "B=new")}, Policy{Preserve: true}, []string{"A=old", "B=new"}},
		{"preserve by name", []string{"A=old", "B=old"}, []Layer{server("A=new", "B=new")}, Policy{PreserveNames: []string{"B"}}, []string{"A=new", "B=old"}},
		{"pristine", []string{"PATH=/bin", "HOME=/", "USER=u", "TERM=t", "TZ=z", "LANG=l", "LC_ALL=C", "X=1"}, []Layer{server("A=1")},
			Policy{Pristine: true}, []string{"A=1", "HOME=/", "LANG=l", "PATH=/bin", "TERM=t", "TZ=z", "USER=u"}},
		{"pristine keeps what is preserved", []string{"X=1", "Y=1"}, nil, Policy{Pristine: true, PreserveNames: []string{"X"}}, []string{"X=1"}},
		{"strip", []string{"SECRET=1", "A=1"}, nil, Policy{Strip: []string{"SECRET"}}, []string{"A=1"}},
		{"keep", []string{"SECRET=1", "A=1"}, nil, Policy{Strip: []string{"SECRET"}, Keep: true}, []string{"A=1", "SECRET=1"}},
		{"what was stripped is not preserved", []string{"S=old"}, []Layer{server("S=new")}, Policy{Strip: []string{"S"}, Preserve: true}, []string{"S=new"}},
		{"only and except", nil, []Layer{server("DB_URL=1", "DB_HOST=1", "X=1")}, Policy{Only: []string{"DB_*"}, Except: []string{"*_HOST"}}, []string{"DB_URL=1"}},
		{"prefix", nil, []Layer{server("A=1")}, Policy{Prefix: "APP_"}, []string{"APP_A=1"}},
		{"rename beats prefix", nil, []Layer{server("A=1", "B=1")}, Policy{Prefix: "APP_", Rename: map[string]string{"A": "Z"}}, []string{"APP_B=1", "Z=1"}},
		{"a rename of what is left out", nil, []Layer{server("A=1", "B=1")}, Policy{Except: []string{"B"}, Rename: map[string]string{"B": "Z"}}, []string{"A=1"}},
		{"only matches the original name", nil, []Layer{server("A=1", "B=1")}, Policy{Only: []string{"A"}, Rename: map[string]string{"A": "B"}}, []string{"B=1"}},
		{"a renamed name is judged", nil, []Layer{server("PATH=1", "A=1")}, Policy{Rename: map[string]string{"PATH": "MY_PATH", "A": "HOME"}}, []string{"MY_PATH=1"}},
		{"extra wins", []string{"R=0"}, []Layer{server("A=1")}, Policy{Extra: vars("R=1")}, []string{"A=1", "R=1"}},
		{"allow", nil, []Layer{server("NODE_OPTIONS=1", "PATH=p")}, Policy{Allow: []string{"NODE_OPTIONS", "PATH"}}, []string{"NODE_OPTIONS=1", "PATH=p"}},
		{"except an option", nil, []Layer{server("NODE_OPTIONS=1", "A=1")}, Policy{Except: []string{"NODE_OPTIONS"}}, []string{"A=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, _, err := Build(tt.inherited, tt.layers, tt.policy)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, env.Environ()); diff != "" {
				t.Errorf("Environ (-want +got):\n%s", diff)
			}
			if !slices.IsSorted(env.Names()) || len(env.Names()) != env.Len() {
				t.Errorf("Names() = %q, Len() = %d", env.Names(), env.Len())
			}
		})
	}
}

func TestBuildErrors(t *testing.T) {
	tests := []struct {
		name   string
		layers []Layer
		policy Policy
		code   string
		text   string
	}{
		{"empty name", []Layer{{Vars: []Var{NewVar("", "v")}}}, Policy{}, CodeEnvName, "empty name"},
		{"= in a name", []Layer{{Vars: []Var{NewVar("A=B", "v")}}}, Policy{}, CodeEnvName, `"A=B"`},
		{"NUL in a name", []Layer{{Vars: []Var{NewVar("A\x00", "v")}}}, Policy{}, CodeEnvName, `"A\x00"`},
		{"a rename to nothing", []Layer{{Vars: vars("A=v")}}, Policy{Rename: map[string]string{"A": ""}}, CodeEnvName, "empty name"},
		{"NUL in a value", []Layer{{Vars: []Var{NewVar("A", "v\x00canary")}}}, Policy{}, CodeEnvValue, `"A"`},
		{"a bad glob", []Layer{{Vars: vars("A=v")}}, Policy{Only: []string{"[A"}}, CodeEnvPattern, `"[A"`},
		{"a bad glob to leave out", []Layer{{Vars: vars("A=v")}}, Policy{Except: []string{"[A"}}, CodeEnvPattern, `"[A"`},
		{"options from the server", []Layer{{Vars: vars("NODE_OPTIONS=canary", "A=1", "GIT_CONFIG_COUNT=1")}}, Policy{}, CodeNameRefused,
			"NODE_OPTIONS, GIT_CONFIG_COUNT, by which it could run code of its own in the child: pass it with --allow NODE_OPTIONS --allow GIT_CONFIG_COUNT, " +
				"or leave it out with --except NODE_OPTIONS --except GIT_CONFIG_COUNT"},
		{"a rename of nothing", []Layer{{Vars: vars("A=v")}, {Vars: vars("B=v")}}, Policy{Rename: map[string]string{"B": "Z", "C": "Y", "D": "X"}}, CodeNoSecret,
			`there is no secret "C" to rename to "Y"`},
		{"an option by prefix", []Layer{{Vars: vars("PATH=v")}}, Policy{Prefix: "PYTHON"}, CodeNameRefused, "--allow PYTHONPATH, or leave it out with --except PATH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, warnings, err := Build(nil, tt.layers, tt.policy)
			if err == nil {
				t.Fatalf("Build gave %v", env)
			}
			if env.Len() != 0 || warnings != nil {
				t.Errorf("an error came with %v and %v", env, warnings)
			}
			wantError(t, err, tt.code, 125, tt.text)
		})
	}
}

func wantError(t *testing.T, err error, code string, exit int, text string) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("error %v (%T) is no *Error", err, err)
	}
	if e.ErrorCode() != code || e.ExitCode() != exit || !strings.Contains(e.Error(), text) {
		t.Errorf("error %q, code %q, exit %d; want %q, %q, %d", e, e.Code, e.ExitCode(), text, code, exit)
	}
	if strings.Contains(e.Error(), "canary") {
		t.Errorf("error %q holds a value", e)
	}
}

func TestBuildWarnings(t *testing.T) {
	layers := []Layer{
		{Origin: Server, Vars: vars("PATH=1", "LD_PRELOAD=1", "XDG_DATA_HOME=1", "LC_ALL=1", "INFISICAL_TOKEN=1", "BASH_ENV=1", "A=1")},
		{Origin: Dotenv, Vars: vars("PATH=1", "NODE_OPTIONS=1", "DYLD_INSERT_LIBRARIES=1")},
		{Origin: Local, Vars: vars("PYTHONPATH=1", "INFISYNC_RUN=1")},
	}
	env, warnings, err := Build(nil, layers, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A", "NODE_OPTIONS", "PYTHONPATH"}, env.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	want := []Warning{
		{WarnWithheld, []string{"BASH_ENV", "DYLD_INSERT_LIBRARIES", "INFISICAL_TOKEN", "INFISYNC_RUN", "LC_ALL", "LD_PRELOAD", "PATH", "XDG_DATA_HOME"},
			"left out, since a secret may not set them: BASH_ENV, DYLD_INSERT_LIBRARIES, INFISICAL_TOKEN, INFISYNC_RUN, LC_ALL, LD_PRELOAD, PATH, XDG_DATA_HOME"},
		{WarnOption, []string{"NODE_OPTIONS", "PYTHONPATH"}, "passed on, although they change what an interpreter runs: NODE_OPTIONS, PYTHONPATH"},
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}

	_, warnings, err = Build(nil, []Layer{{Vars: vars("A=1", "B=2")}}, Policy{Rename: map[string]string{"A": "B"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || warnings[0].Code != WarnRenamed || warnings[0].String() != "set by two variables after renaming, the later one counts: B" {
		t.Errorf("warnings of a clash: %v", warnings)
	}
}

func TestDigestCountsLayersOnly(t *testing.T) {
	build := func(inherited []string, pairs ...string) Env {
		env, _, err := Build(inherited, []Layer{{Vars: vars(pairs...)}}, Policy{Extra: vars("INFISYNC_RUN=1")})
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	base := build(nil, "A=BC", "X=1")
	if got := build([]string{"HOME=/", "Z=1"}, "X=1", "A=BC").Digest(); got != base.Digest() {
		t.Error("the digest depends on the order or on what was inherited")
	}
	for _, other := range []Env{build(nil, "AB=C", "X=1"), build(nil, "A=BC"), build(nil, "A=B", "CX=1"), build([]string{"A=BC"}, "X=1"), {}} {
		if other.Digest() == base.Digest() {
			t.Errorf("%v has the digest of another", other)
		}
	}
	// Computed by hand from the description of its bytes.
	const want = "40baf86bf186bf2267ec671ff2e1bcdfd9cf78c0cca29962007e0c6b1cb63f3e"
	if got := build(nil, "A=1").Digest(); got != want {
		t.Errorf("Digest() = %s, want %s", got, want)
	}
}

func TestDiff(t *testing.T) {
	build := func(pairs ...string) Env {
		env, _, err := Build([]string{"GONE=inherited", "HOME=/"}, []Layer{{Vars: vars(pairs...)}}, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	old, new := build("SAME=1", "DATABASE_URL=1", "GONE=1", "odd\nname=1"), build("SAME=1", "DATABASE_URL=2", "NEW_KEY=1", "odd\nname=2")
	changes := Diff(old, new)
	if got, want := changes.String(), `DATABASE_URL changed, "odd\nname" changed, NEW_KEY added, GONE removed`; got != want {
		t.Errorf("Diff = %s, want %s", got, want)
	}
	if changes.Empty() || !Diff(old, old).Empty() {
		t.Error("Empty is wrong")
	}
}

func TestEnvWith(t *testing.T) {
	env, _, err := Build([]string{"B=1", "D=1"}, []Layer{{Vars: vars("C=1")}}, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	got := env.With(vars("A=2", "B=2", "E=2")...)
	if diff := cmp.Diff([]string{"A=2", "B=2", "C=1", "D=1", "E=2"}, got.Environ()); diff != "" {
		t.Errorf("With (-want +got):\n%s", diff)
	}
	if got.Digest() != env.Digest() {
		t.Error("With changed the digest")
	}
	if diff := cmp.Diff([]string{"B=1", "C=1", "D=1"}, env.Environ()); diff != "" {
		t.Errorf("With changed its receiver (-want +got):\n%s", diff)
	}
}

func TestValuesDoNotPrint(t *testing.T) {
	const canary = `ca"na` + "\n" + `ry`
	v := NewVar("NAME", canary)
	env, _, err := Build(nil, []Layer{{Vars: []Var{v}}}, Policy{Files: Files{Each: []FileSpec{{Name: "NAME"}}, Keep: true}})
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct {
		v    Var
		env  Env
		in   []Var
		by   map[string]Env
		file File
	}{v, env, []Var{v}, map[string]Env{"x": env}, env.files[0]}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb+"\n", v)
		fmt.Fprintf(&printed, verb+"\n", env)
		fmt.Fprintf(&printed, verb+"\n", hidden)
		fmt.Fprintf(&printed, verb+"\n", []any{&v, &env, Layer{Vars: []Var{v}}, env.files})
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("x", "v", v, "env", env, "in", hidden)
	}
	text, err := json.Marshal([]any{v, env, hidden})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(text)
	for _, form := range []string{canary, "na\\nry", "ca\\\"na", fmt.Sprintf("%x", canary)} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the value was printed as %q", form)
		}
	}
	if value, ok := env.Lookup("NAME"); !ok || value != canary || v.Reveal() != canary {
		t.Errorf("Lookup = %q, %v", value, ok)
	}
}

func vars(pairs ...string) []Var {
	var out []Var
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		out = append(out, NewVar(name, value))
	}
	return out
}

func TestManyChanges(t *testing.T) {
	var names []string
	for i := range 3000 {
		names = append(names, fmt.Sprintf("N%04d", i))
	}
	if got := (Changes{Removed: names[:20]}).String(); !strings.HasSuffix(got, ", N0018 removed, N0019 removed") {
		t.Errorf("twenty: %q", got)
	}
	got := Changes{Changed: names[:10], Added: names[10:]}.String()
	if !strings.HasPrefix(got, "N0000 changed, ") || !strings.HasSuffix(got, ", N0018 added, N0019 added and 2980 more") {
		t.Errorf("three thousand: %q", got)
	}
	var b builder
	for _, name := range names[:22] {
		b.refused = append(b.refused, refusal{name, "S"})
	}
	wantError := "N0019 and 2 more, by which"
	if err := b.refusal(); !strings.Contains(err.Error(), wantError) || strings.Contains(err.Error(), names[20]) {
		t.Errorf("error %q, want %q in it", err, wantError)
	}
}
