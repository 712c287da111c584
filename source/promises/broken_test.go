package promises

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBrokenPromises: each check passes, and is not skipped, in a copy of the
// project, and fails there once a line is broken. What does not build, hangs or
// dies is no failure of the check.
func TestBrokenPromises(t *testing.T) {
	if os.Getenv("INFISYNC_SOAK") == "" {
		t.Skip("INFISYNC_SOAK is not set: builds the tests once for each promise")
	}
	began := time.Now()
	c := copyProject(t)
	rows := make(map[check][]string)
	whole := make(map[check]bool)
	mutations, detected := readMutations(t), 0
	for _, m := range mutations {
		t.Run(string(m.check)+"/"+m.path, func(t *testing.T) {
			start, verdict := time.Now(), "NOT DETECTED"
			defer func() {
				rows[m.check] = append(rows[m.check], fmt.Sprintf("%-12s %-52s %s: %s (%.0f s)",
					verdict, m.check, m.path, strings.TrimSpace(m.good), time.Since(start).Seconds()))
			}()
			if !whole[m.check] {
				c.mustPass(t, m.check)
				whole[m.check] = true
			}
			c.mustFail(t, m)
			verdict = "detected"
			detected++
		})
	}
	var table strings.Builder
	for _, p := range readPromises(t) {
		fmt.Fprintf(&table, "\n%s\n", p.text)
		for _, c := range p.checks {
			for _, row := range rows[c] {
				fmt.Fprintf(&table, "    %s\n", row)
			}
		}
	}
	t.Logf("%s\n%d mutations, %d detected, in %v", &table, len(mutations), detected, time.Since(began).Round(time.Second))
}

// A project is a copy of this one, in which lines can be broken: those of any file,
// also of one that the compiler does not read.
type project struct {
	dir      string
	binaries string            // the folder of the built tests
	whole    map[string]string // folder → its tests, built while nothing was broken
}

func copyProject(t *testing.T) *project {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	p := &project{dir: t.TempDir(), binaries: t.TempDir(), whole: make(map[string]string)}
	for _, entry := range entries {
		from, to := filepath.Join(root, entry.Name()), filepath.Join(p.dir, entry.Name())
		switch {
		case entry.Name() == ".git":
		case entry.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		default:
			var data []byte
			data, err = os.ReadFile(from)
			err = errors.Join(err, os.WriteFile(to, data, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// mustPass runs the check while nothing is broken.
func (p *project) mustPass(t *testing.T, c check) {
	t.Helper()
	binary, ok := p.whole[c.folder()]
	if !ok {
		binary = p.build(t, c, fmt.Sprintf("whole%d", len(p.whole)))
		p.whole[c.folder()] = binary
	}
	out, err := p.run(binary, c)
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+c.name()+" ")) || bytes.Contains(out, []byte("--- SKIP: ")) {
		t.Fatalf("with nothing broken it does not pass as a whole: %v\n%s", err, out)
	}
}

// mustFail breaks the line and runs the check.
func (p *project) mustFail(t *testing.T, m mutation) {
	t.Helper()
	path := filepath.Join(p.dir, m.path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte(m.good)); n != 1 {
		t.Fatalf("%q stands %d times in %q, want once", m.good, n, m.path)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(m.good), []byte(m.bad), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Error(err)
		}
	}()
	out, err := p.run(p.build(t, m.check, "broken"), m.check)
	if err == nil || !bytes.Contains(out, []byte("--- FAIL: "+m.name()+" ")) {
		t.Fatalf("the check did not fail: %v\n%s", err, out)
	}
	if said := complaint.FindAll(out, -1); len(said) > 0 {
		t.Logf("%s", bytes.TrimSpace(said[len(said)-1]))
	}
}

// complaint is what a test or a script says when it fails.
var complaint = regexp.MustCompile(`(?m)^ +(\w+_test\.go:\d+|FAIL): .*`)

// build builds the tests of the check's package.
func (p *project) build(t *testing.T, c check, name string) (binary string) {
	t.Helper()
	binary = filepath.Join(p.binaries, name)
	cmd := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", binary, "./"+c.folder())
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	return binary
}

// run runs the check as continuous integration does, where nothing may be skipped.
func (p *project) run(binary string, c check) ([]byte, error) {
	cmd := exec.Command(binary, "-test.run", c.pattern(), "-test.v", "-test.failfast", "-test.timeout", "5m")
	cmd.Dir = filepath.Join(p.dir, c.folder())
	cmd.Env = append(os.Environ(), "CI=true", "CGO_ENABLED=0", "INFISYNC_SOAK=", "INFISYNC_FAULTS=")
	return cmd.CombinedOutput()
}
