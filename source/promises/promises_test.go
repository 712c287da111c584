package promises

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPromises: each promise names tests that are there, and each of these has a
// mutation that can be made.
func TestPromises(t *testing.T) {
	mutations := readMutations(t)
	var promised []check
	for _, p := range readPromises(t) {
		if len(p.checks) == 0 {
			t.Errorf("no test holds %q", p.text)
		}
		promised = append(promised, p.checks...)
	}
	slices.Sort(promised)
	promised = slices.Compact(promised)
	for _, c := range promised {
		if !exists(t, c) {
			t.Errorf("there is no %s", c)
		}
		if !slices.ContainsFunc(mutations, func(m mutation) bool { return m.check == c }) {
			t.Errorf("no mutation shows that %s fails when what it holds is broken", c)
		}
	}
	for _, m := range mutations {
		if !slices.Contains(promised, m.check) {
			t.Errorf("SECURITY.md does not name %s, which has a mutation", m.check)
		}
		if n := strings.Count(readFile(t, m.path), m.good); n != 1 || m.good == m.bad {
			t.Errorf("%s: %q stands %d times in %q, want once, and it is to be replaced by %q", m.check, m.good, n, m.path, m.bad)
		}
		if strings.HasSuffix(m.path, "_test.go") || strings.HasSuffix(m.path, ".txtar") {
			t.Errorf("%s: %q is a test, and what is to be broken is not", m.check, m.path)
		}
	}
}

// exists tells whether the check is in the project.
func exists(t *testing.T, c check) bool {
	t.Helper()
	if c.isScript() {
		_, err := os.Stat(filepath.Join(root, string(c)))
		return err == nil
	}
	paths, err := filepath.Glob(filepath.Join(root, c.folder(), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == c.name() {
				return true
			}
		}
	}
	return false
}
