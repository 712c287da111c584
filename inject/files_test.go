package inject

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := filepath.Abs(".") // where links are resolved
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseFiles([]string{"A=" + dir + "/x/../a", "B=b:0640", "C=d:r/c:400", "D==:644"}, "all:0440")
	want := Files{
		Each: []FileSpec{
			{"A", filepath.Join(dir, "a"), 0o600}, {"B", filepath.Join(dir, "b"), 0o640},
			{"C", filepath.Join(dir, "d:r", "c"), 0o400}, {"D", filepath.Join(dir, "="), 0o644},
		},
		All: FileSpec{"", filepath.Join(dir, "all"), 0o440},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ParseFiles: %v (-want +got):\n%s", err, diff)
	}
	if got, err := ParseFiles(nil, ""); err != nil || !cmp.Equal(got, Files{}) {
		t.Errorf("ParseFiles of nothing = %+v, %v", got, err)
	}
	for _, bad := range []struct {
		each []string
		all  string
		text string
	}{
		{[]string{"A"}, "", `"A" is not NAME=PATH[:MODE]`},
		{[]string{"=/a"}, "", `"=/a" is not NAME=PATH[:MODE]`},
		{[]string{"A="}, "", `"" is not the path of a file`},
		{[]string{"A=:0600"}, "", `"" is not the path of a file`},
		{[]string{"A=/dev/shm/"}, "", `"/dev/shm/" is not the path of a file`},
		{[]string{"A=/a:rw"}, "", `mode "rw" of "/a" is not octal between 0400 and 0644`},
		{[]string{"A=/a:"}, "", `mode "" of "/a"`},
		{[]string{"A=/a:0700"}, "", `mode "0700" of "/a"`},
		{[]string{"A=/a:0666"}, "", `mode "0666" of "/a"`},
		{[]string{"A=/a:0200"}, "", `mode "0200" of "/a"`},
		{[]string{"A=/a:4600"}, "", `mode "4600" of "/a"`},
		{[]string{"A=/a:680"}, "", `mode "680" of "/a"`},
		{[]string{"A=/a", "A=/b"}, "", `two files for "A"`},
		{[]string{"A=/a", "B=/x/../a"}, "", `two secrets for the file "/a"`},
		{[]string{"A=/a"}, "/a:0400", `two secrets for the file "/a"`},
		{nil, "/", `"/" is not the path of a file`},
	} {
		if got, err := ParseFiles(bad.each, bad.all); err == nil || !strings.Contains(err.Error(), bad.text) {
			t.Errorf("ParseFiles(%q, %q) = %v, %v, want %q in the error", bad.each, bad.all, got, err, bad.text)
		}
	}
}

// renderLines renders as dotenv does where nothing needs quotes.
func renderLines(vars iter.Seq2[string, string]) ([]byte, error) {
	var text strings.Builder
	for name, value := range vars {
		if value == "impossible" {
			return nil, fs.ErrInvalid
		}
		text.WriteString(name + "=" + value + "\n")
	}
	return []byte(text.String()), nil
}

func filesOf(env Env) []string {
	var out []string
	for _, file := range env.files {
		out = append(out, file.Path+" "+file.content.Reveal())
	}
	return out
}

func TestBuildFiles(t *testing.T) {
	each := Files{Each: []FileSpec{{Name: "A", Path: "/a"}}}
	all := Files{All: FileSpec{Path: "/all"}, Render: renderLines}
	both := Files{Each: each.Each, All: all.All, Render: renderLines}
	keep := both
	keep.Keep = true
	big := strings.Repeat("x", 1<<20)
	tests := []struct {
		name      string
		inherited []string
		vars      []string
		policy    Policy
		want      []string
		files     []string
	}{
		{"one", nil, []string{"A=1", "B=2"}, Policy{Files: each}, []string{"A_FILE=/a", "B=2"}, []string{"/a 1"}},
		{"what no variable can hold", nil, []string{"A=\x00" + big}, Policy{Files: each}, []string{"A_FILE=/a"}, []string{"/a \x00" + big}},
		{"all", nil, []string{"B=2", "A=1"}, Policy{Files: all}, []string{}, []string{"/all A=1\nB=2\n"}},
		{"one and all others", nil, []string{"A=1", "B=2"}, Policy{Files: both}, []string{"A_FILE=/a"}, []string{"/a 1", "/all B=2\n"}},
		{"variables too", nil, []string{"A=1", "B=2"}, Policy{Files: keep}, []string{"A=1", "A_FILE=/a", "B=2"}, []string{"/a 1", "/all B=2\n"}},
		{"none of all", nil, nil, Policy{Files: all}, []string{}, []string{"/all "}},
		{"no inherited one of the name", []string{"A=old", "A_FILE=/old", "C=3"}, []string{"A=1"}, Policy{Files: each}, []string{"A_FILE=/a", "C=3"}, []string{"/a 1"}},
		{"a preserved one", []string{"A=old", "A_FILE=/old"}, []string{"A=1"}, Policy{Files: each, Preserve: true}, []string{"A=old", "A_FILE=/old"}, []string{"/a 1"}},
		{"a secret says where", nil, []string{"A=1", "A_FILE=/b"}, Policy{Files: each}, []string{"A_FILE=/b"}, []string{"/a 1"}},
		{"the name is the child's", nil, []string{"X=1", "Y=2"}, Policy{Files: each, Rename: map[string]string{"X": "A"}, Prefix: "P_"}, []string{"A_FILE=/a", "P_Y=2"}, []string{"/a 1"}},
		{"of all, names that are withheld are left out", nil, []string{"PATH=1", "B=2"}, Policy{Files: all}, []string{}, []string{"/all B=2\n"}},
		{"a name that would be withheld", nil, []string{"LD_PRELOAD=1", "A=1"}, Policy{Files: Files{Each: []FileSpec{{Name: "LD_PRELOAD", Path: "/l"}}}},
			[]string{"A=1", "LD_PRELOAD_FILE=/l"}, []string{"/l 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, _, err := Build(tt.inherited, []Layer{{Vars: vars(tt.vars...)}}, tt.policy)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, env.Environ()); diff != "" {
				t.Errorf("Environ (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.files, filesOf(env)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.files, filesOf(env.With(NewVar("Z", "")))); diff != "" {
				t.Errorf("files of With (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildFilesErrors(t *testing.T) {
	each := Files{Each: []FileSpec{{Name: "A", Path: "/a"}}}
	all := Files{All: FileSpec{Path: "/all"}, Render: renderLines}
	_, _, err := Build([]string{"A=inherited"}, []Layer{{Vars: vars("B=1")}}, Policy{Files: each})
	wantError(t, err, CodeNoSecret, 125, `there is no secret "A" to write to "/a"`)
	_, _, err = Build(nil, []Layer{{Vars: vars("A=1", "B=1")}}, Policy{Files: each, Except: []string{"A"}})
	wantError(t, err, CodeNoSecret, 125, `there is no secret "A" to write to "/a"`)
	_, _, err = Build(nil, nil, Policy{Files: all})
	wantError(t, err, CodeNoSecret, 125, `there are no secrets to write to "/all"`)
	_, _, err = Build(nil, []Layer{{Vars: vars("NODE_OPTIONS=canary")}}, Policy{Files: all})
	wantError(t, err, CodeNameRefused, 125, "NODE_OPTIONS")
	if env, _, err := Build(nil, []Layer{{Vars: vars("A=impossible")}}, Policy{Files: all}); !errors.Is(err, fs.ErrInvalid) || env.Len() != 0 {
		t.Errorf("Build = %v, %v, want what Render returned", env, err)
	}
}

// A secret decides as much in a file as it does in a variable.
func TestDigestCountsFiles(t *testing.T) {
	build := func(files Files, pairs ...string) Env {
		env, _, err := Build(nil, []Layer{{Vars: vars(pairs...)}}, Policy{Files: files})
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	for _, files := range []Files{
		{},
		{Each: []FileSpec{{Name: "A", Path: "/a"}}},
		{Each: []FileSpec{{Name: "A", Path: "/a"}}, Keep: true},
		{All: FileSpec{Path: "/all"}, Render: renderLines},
	} {
		old, new := build(files, "A=1", "B=1"), build(files, "A=2", "B=1")
		if old.Digest() != build(Files{}, "A=1", "B=1").Digest() || old.Digest() == new.Digest() {
			t.Errorf("the digest with %+v is another, or does not change", files)
		}
		if got := Diff(old, new).String(); got != "A changed" {
			t.Errorf("Diff with %+v = %q", files, got)
		}
		if onlyFiles := len(files.Each)+len(files.All.Path) > 0 && !files.Keep; Diff(old.variables(), new.variables()).Empty() != onlyFiles {
			t.Errorf("with %+v: is a variable changed? want %v", files, !onlyFiles)
		}
	}
}

func TestJudge(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	files := Files{Each: []FileSpec{{Name: "A", Path: "/a"}, {Name: "B", Path: "/b"}}}
	for _, tt := range []struct {
		name, value string
		policy      Policy
		want        string
	}{
		{"A", "1", Policy{}, ""},
		{"A", big, Policy{}, CodeEnvTooLarge},
		{"A", "\x00", Policy{}, CodeEnvValue},
		{"A", big + "\x00", Policy{Files: files}, ""},
		{"P_A", big, Policy{Files: files, Rename: map[string]string{"P_A": "B"}}, ""},
		{"A", big, Policy{Files: Files{All: FileSpec{Path: "/all"}}}, ""},
		{"C", big, Policy{Files: files}, CodeEnvTooLarge},
		{"A", big, Policy{Except: []string{"A"}}, ""},
		{"A", big, Policy{Only: []string{"B"}}, ""},
		{"A", big, Policy{Only: []string{"["}}, ""},
		{"PATH", "1", Policy{}, WarnWithheld},
		{"PATH", "1", Policy{Files: Files{Each: []FileSpec{{Name: "PATH", Path: "/p"}}}}, ""},
		{"NODE_OPTIONS", "1", Policy{}, CodeNameRefused},
		{"A=B", "1", Policy{}, CodeEnvName},
	} {
		if got := Judge(NewVar(tt.name, tt.value), tt.policy); got != tt.want {
			t.Errorf("Judge(%q) with %+v = %q, want %q", tt.name, tt.policy, got, tt.want)
		}
	}
}
