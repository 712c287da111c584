//go:build unix

package scriptcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A recorder is the testing.T of a script that may fail.
type recorder struct {
	said   strings.Builder
	failed bool
}

type failed struct{}

func (r *recorder) Log(args ...any)                         { fmt.Fprintln(&r.said, args...) }
func (r *recorder) Fatal(args ...any)                       { r.Log(args...); r.FailNow() }
func (r *recorder) FailNow()                                { r.failed = true; panic(failed{}) }
func (r *recorder) Skip(args ...any)                        { r.Fatal(args...) }
func (r *recorder) Run(_ string, script func(testscript.T)) { script(r) }
func (*recorder) Parallel()                                 {}
func (*recorder) Verbose() bool                             { return false }

// runLine runs a script of this line, after a server was started.
func runLine(t *testing.T, line string) (r *recorder) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.txtar")
	if err := os.WriteFile(file, []byte("server\n"+line+"\n-- file --\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = new(recorder)
	defer func() {
		if reason := recover(); reason != nil && reason != any(failed{}) {
			panic(reason)
		}
	}()
	testscript.RunT(r, testscript.Params{Files: []string{file}, Setup: Setup, Cmds: Commands()})
	return r
}

// What a command does not understand fails the script: it is no demand that always holds.
func TestMistakesFail(t *testing.T) {
	for line, want := range map[string]string{
		"! mode file 0600":                  "mode takes no !",
		"! matches file x 3":                "matches takes no !",
		"! waitfor file x":                  "waitfor takes no !",
		"waitfor file x l":                  "invalid syntax",
		"fault status list times=one":       "invalid syntax",
		"exits zero true":                   "invalid syntax",
		"answered list l":                   "invalid syntax",
		"counts list =login+l":              "invalid syntax",
		"! counts list 0":                   "the server counted 0 of list",
		"! holds A\nset A=1\n! holds A":     "the server has A",
		"! counts list 1\ncounts list none": "invalid syntax",
	} {
		if r := runLine(t, line); !r.failed || !strings.Contains(r.said.String(), want) {
			t.Errorf("%q does not fail with %q:\n%s", line, want, r.said.String())
		}
	}
	if r := runLine(t, "! counts list 1\nmatches file x 0\nfault status list times=1"); r.failed {
		t.Errorf("what has no mistake fails:\n%s", r.said.String())
	}
}
