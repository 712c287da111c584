package dotenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

const canary = "canary-7f3a"

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	for _, test := range []struct {
		name     string
		in       string
		want     map[string]string
		expanded []string
	}{
		{"empty file", "", nil, nil},
		{"comments only", "# a\n\n  # b", nil, nil},
		{"byte order mark", "\ufeffA=1\n", map[string]string{"A": "1"}, nil},
		{"last counts", "A=1\nA=2\n", map[string]string{"A": "2"}, nil},
		{"forms", "export A=1\nB: 2\nC = 3 # no\nD=\nE=' x '\nF=\"a\\nb\"\r\nG=a#b", map[string]string{
			"A": "1", "B": "2", "C": "3", "D": "", "E": " x ", "F": "a\nb", "G": "a#b"}, nil},
		{"several lines", "PEM='-----\nabc\n-----'\nB=1", map[string]string{"PEM": "-----\nabc\n-----", "B": "1"}, nil},
		{"several on a line", `A="1" B='2' # c`, map[string]string{"A": "1", "B": "2"}, nil},
		{"expansion", "A=x\nB=$A-${A}\nC=pa$$w0rd\nD=$2a$10$abc", map[string]string{
			"A": "x", "B": "x-x", "C": "pa$$w0rd", "D": "a$abc"}, []string{"B", "D"}},
		{"upper case after dollars", "C=pa$$W0RD!", map[string]string{"C": "pa$!"}, []string{"C"}},
		{"dollars kept", `A='$B'` + "\n" + `C=\$B` + "\n" + `D="\$B"` + "\n" + `E='\$B'` + "\nF=5$", map[string]string{
			"A": "$B", "C": "$B", "D": "$B", "E": `\$B`, "F": "5$"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var expanded []string
			file := File{Path: write(t, test.in), Expanded: func(names []string) { expanded = names }}
			set, err := file.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for secret := range set.All() {
				got[secret.Name] = secret.Value.Reveal()
				if secret.Place.Path != file.Path {
					t.Errorf("%s has place %+v", secret.Name, secret.Place)
				}
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !slices.Equal(expanded, test.expanded) {
				t.Errorf("expanded in %q, want %q", expanded, test.expanded)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	const secret = "DB=" + canary + "\n"
	for _, test := range []struct {
		name, in string
		want     string
	}{
		{"no name", secret + "=" + canary, "line 2: no name before the equals sign"},
		{"no equals sign", secret + "\n" + canary, "line 3: a character that a name cannot have"},
		{"name alone", secret + "canary", "line 2: a name without an equals sign"},
		{"export alone", secret + "export ", "line 2: a name without an equals sign"},
		{"bad name", secret + "# c\r\nBAD KEY!=" + canary, "line 3: a character that a name cannot have"},
		{"open quote", secret + "A='x\ny'\nB=\"" + canary + "\n\n", "line 4: a quote that is not closed"},
		{"escaped end quote", `A='` + canary + `\'`, "line 1: a quote that is not closed"},
		{"NUL", secret + "A=\x00" + canary, "line 2: a NUL byte (a .env file is UTF-8)"},
		{"UTF-16", "\xff\xfeA\x00=\x001\x00", "line 1: a NUL byte (a .env file is UTF-8)"},
	} {
		path := write(t, test.in)
		set, err := File{Path: path}.Load(t.Context())
		if set.Len() != 0 || source.CodeOf(err) != source.CodeDotenvInvalid {
			t.Errorf("%s: %d secrets and error %v", test.name, set.Len(), err)
			continue
		}
		if got, want := err.Error(), fmt.Sprintf("reading .env file %q: %s", path, test.want); got != want {
			t.Errorf("%s: error %q, want %q", test.name, got, want)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), "canary") {
			t.Errorf("%s: the error holds a part of the file", test.name)
		}
	}
}

func TestLoadUnreadable(t *testing.T) {
	missing := File{Path: filepath.Join(t.TempDir(), "none.env")}
	if _, err := missing.Load(t.Context()); source.CodeOf(err) != source.CodeDotenvMissing || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	folder := File{Path: t.TempDir()}
	if _, err := folder.Load(t.Context()); source.CodeOf(err) != source.CodeDotenvInvalid {
		t.Errorf("a folder: %v", err)
	}
	large := File{Path: write(t, strings.Repeat("#\n", maxSize/2)+"A")}
	if _, err := large.Load(t.Context()); source.CodeOf(err) != source.CodeDotenvInvalid || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("a file above the limit: %v", err)
	}
}

func TestLoadAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if set, err := (File{Path: write(t, "A=1")}).Load(ctx); err != why || set.Len() != 0 {
		t.Errorf("%d secrets, error %v", set.Len(), err)
	}
}

// godotenv alone would call itself eight million times deep and take the
// process down with it.
func TestLoadCommentsOnly(t *testing.T) {
	text := strings.Repeat("#\n", maxSize/2-2) + "A=1"
	set, err := File{Path: write(t, text)}.Load(t.Context())
	if got, _ := set.Get("A"); err != nil || got.Value.Reveal() != "1" {
		t.Errorf("%d secrets, error %v", set.Len(), err)
	}
}

// Only what means itself is put in single quotes.
func TestLiterally(t *testing.T) {
	for value, want := range map[string]string{
		"":                 "",
		"plain":            "'plain'",
		"postgres://a:b@c": "'postgres://a:b@c'",
		`"a b # c"`:        `'a b # c'`,
		`""`:               `''`,
		`"a\nb"`:           `"a\nb"`,
		`"$A"`:             `"$A"`,
		`"it's"`:           `"it's"`,
		`'$A'`:             `'$A'`,
		"a b":              "a b",
		"a #b":             "a #b",
		"$A":               "$A",
		`a\`:               `a\`,
		"é":                "é",
		"\xff":             "\xff",
	} {
		if got := literally([]byte(value)); got != want {
			t.Errorf("literally(%q) = %q, want %q", value, got, want)
		}
	}
}
