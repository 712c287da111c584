package dotenv

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/joho/godotenv"

	"infisync/source"
)

// fuzzSeeds are .env texts at the edges of godotenv's grammar.
var fuzzSeeds = []string{
	"",
	"\ufeffA=1",
	"A=1\nB=\"$A ${A} \\$A\"\nC='$A'\n",
	"export A = x # y\nB: z\n# c\n\nC=",
	"A=\"x\\\"y\"B='z'#c\nD",
	"=x",
	"export =x\nexport\tB=1",
	"A='\\'\n'",
	"A=\r\nB=\rC=1\r\n",
	"A\x85=\xa0x\xc2\xa0\nÉ=é\xff",
	"A=$(x) $ \\$ \\\\$B $B{ #",
	"A.B=1\nA B=2\nA\nB=3",
	"A=\x00",
	"A=plain\nB=\"x # y\"\nC=\"\"D=\"\n\"E= x",
	"BAD KEY!=x\nDB_PASSWORD=hunter2\n",
	"A='\r\r\n'\r\r\nB=\"\\\r\r\r\n\"\n",
}

// FuzzParse holds Parse to this: it reads what godotenv reads, or it is an
// error; an error where godotenv has none is about a missing name or a NUL byte.
// An error gives a line of the file and a fixed reason, so nothing of the file.
func FuzzParse(f *testing.F) {
	if len(fuzzSeeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(checkParse)
}

// TestParseEveryText holds Parse to the same for all short texts of what has a
// meaning in a .env file: what is rare in random texts is among them.
func TestParseEveryText(t *testing.T) {
	pieces := []string{"A", "=", "'", `"`, `\`, "\r", "\n", "$", "#", " ", "export "}
	var extend func(text string, left int)
	extend = func(text string, left int) {
		checkParse(t, []byte(text))
		if left == 0 || t.Failed() {
			return
		}
		for _, piece := range pieces {
			extend(text+piece, left-1)
		}
	}
	extend("", 4)
	extend("A=", 5)
}

func checkParse(t *testing.T, data []byte) {
	t.Helper()
	got, expanded, err := Parse(data)
	text := strings.TrimPrefix(string(data), "\ufeff")
	want, refused := godotenv.Unmarshal(text)
	if err != nil {
		if got != nil || expanded != nil {
			t.Errorf("%q: values beside an error", data)
		}
		checkSyntaxError(t, err, text)
		_, unnamed := want[""]
		if refused == nil && !unnamed && !strings.Contains(text, "\x00") {
			t.Errorf("%q: %v, where godotenv reads %q", data, err, want)
		}
		return
	}
	if refused != nil {
		t.Fatalf("%q: read what godotenv refuses", data)
	}
	if !maps.EqualFunc(got, want, func(v source.Value, s string) bool { return v.Reveal() == s }) {
		t.Errorf("%q: read other values than godotenv: %q", data, want)
	}
	if !strings.Contains(text, "$") && len(expanded) > 0 {
		t.Errorf(`%q: expanded in %q without a "$"`, data, expanded)
	}
	if !slices.IsSorted(expanded) {
		t.Errorf("%q: expanded names are not sorted: %q", data, expanded)
	}
}

func checkSyntaxError(t *testing.T, err error, text string) {
	syntax, ok := err.(*SyntaxError)
	if !ok {
		t.Fatalf("error %T, want *SyntaxError", err)
	}
	if syntax.Line < 1 || syntax.Line > 1+strings.Count(text, "\n") {
		t.Errorf("line %d of %d", syntax.Line, 1+strings.Count(text, "\n"))
	}
	if !slices.Contains(reasons, syntax.Reason) {
		t.Errorf("reason %q is not one of the fixed texts", syntax.Reason)
	}
}

// reasons are all that a SyntaxError may say.
var reasons = []string{
	"a NUL byte (a .env file is UTF-8)",
	"no name before the equals sign",
	"a character that a name cannot have",
	"a name without an equals sign",
	"a quote that is not closed",
}
