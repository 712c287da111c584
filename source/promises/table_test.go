// Package promises holds SECURITY.md to its word: each promise there names tests,
// each of them has a line in testdata/promises/mutations.txt that breaks the
// promise, and fails when that line is in the place of the real one.
package promises

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the folder of the project.
var root = filepath.Join("..", "..")

// A check is a test or a script, as SECURITY.md calls it: "infisync.TestFaults",
// "source/vault.FuzzOpen", "testdata/script/run_poll.txtar".
type check string

// folder is where the package of its test is, below root.
func (c check) folder() string {
	pkg, _, _ := strings.Cut(string(c), ".")
	if c.isScript() || pkg == "infisync" {
		return "."
	}
	return pkg
}

// name is what its test is reported by; that of a script is part of another.
func (c check) name() string {
	if c.isScript() {
		return "TestScripts/" + strings.TrimSuffix(filepath.Base(string(c)), ".txtar")
	}
	_, name, _ := strings.Cut(string(c), ".")
	return name
}

// pattern makes `go test -run` choose it alone.
func (c check) pattern() string { return "^" + strings.ReplaceAll(c.name(), "/", "$/^") + "$" }

func (c check) isScript() bool { return strings.HasPrefix(string(c), "testdata/script/") }

// A promise of SECURITY.md, and what holds infisync to it.
type promise struct {
	text   string // in one line
	checks []check
}

var (
	quoted  = regexp.MustCompile("`[^`]*`")
	isCheck = regexp.MustCompile(`^([\w/]+\.(Test|Fuzz)|testdata/script/)`)
)

func readPromises(t *testing.T) []promise {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "SECURITY.md"), "\n## Promised\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var promises []promise
	for _, item := range strings.Split(section, "\n- ")[1:] {
		item, _, _ = strings.Cut(item, "\n\n") // the next heading
		var p promise
		for _, word := range quoted.FindAllString(item, -1) {
			if word = strings.Trim(word, "`"); isCheck.MatchString(word) {
				p.checks = append(p.checks, check(word))
			}
		}
		p.text, _, _ = strings.Cut(strings.Join(strings.Fields(item), " "), ": `")
		promises = append(promises, p)
	}
	if len(promises) == 0 {
		t.Fatal("nothing is promised")
	}
	return promises
}

// A mutation breaks the promises that a check holds, by one line.
type mutation struct {
	check
	path      string // of the file, below root
	good, bad string // what stands in it once, and what takes its place
}

func readMutations(t *testing.T) []mutation {
	t.Helper()
	var mutations []mutation
	blocks := strings.Split(strings.TrimSuffix(readFile(t, "testdata/promises/mutations.txt"), "\n"), "\n\n")
	for _, block := range blocks[1:] { // after what the file says of itself
		lines := strings.Split(block, "\n")
		if len(lines) != 4 {
			t.Fatalf("%d lines, want 4: %q", len(lines), block)
		}
		mutations = append(mutations, mutation{check(lines[0]), lines[1], lines[2], lines[3]})
	}
	return mutations
}

// readFile reads a file of the project, with the line ends of this system's checkout
// made those of all others.
func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
