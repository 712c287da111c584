package promises

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies: the modules that go.mod requires directly are those that
// ARCHITECTURE.md gives a reason for, each once.
func TestDependencies(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n#")
	module := regexp.MustCompile("`([^`]+)`")
	var listed []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.Contains(cells[1], "a module of its own") {
			continue
		}
		cell := cells[1]
		if strings.TrimSpace(cell) == "tests only" {
			cell = cells[2]
		}
		for _, found := range module.FindAllStringSubmatch(cell, -1) {
			listed = append(listed, found[1])
		}
	}
	_, block, _ := strings.Cut(read(t, "go.mod"), "\nrequire (\n")
	block, _, _ = strings.Cut(block, "\n)")
	var required []string
	for line := range strings.Lines(block) {
		path, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		required = append(required, strings.TrimPrefix(path, "github.com/"))
	}
	slices.Sort(listed)
	slices.Sort(required)
	if len(required) == 0 || !slices.Equal(listed, required) {
		t.Errorf("ARCHITECTURE.md lists\n%q, go.mod requires\n%q", listed, required)
	}
}

// TestPackages: ARCHITECTURE.md has a row for each package below source.
func TestPackages(t *testing.T) {
	page := read(t, "ARCHITECTURE.md")
	entries, err := os.ReadDir(filepath.Join(root, "source"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		rows++
		if row := "| `source/" + entry.Name() + "/` |"; strings.Count(page, row) != 1 {
			t.Errorf("ARCHITECTURE.md has not one row %q", row)
		}
	}
	if rows == 0 {
		t.Error("there is no package below source")
	}
}
