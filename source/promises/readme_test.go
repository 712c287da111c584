package promises

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSetups: what the README has to be copied stands, line by line and in this order,
// in the file that it names, which a test uses.
func TestSetups(t *testing.T) {
	block := regexp.MustCompile("(?ms)^<!-- from (\\S+) -->\n```\\w*\n(.*?)^```$")
	blocks := block.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) < 5 {
		t.Fatalf("the README has %d set-ups with their files, want 5 and more", len(blocks))
	}
	for _, found := range blocks {
		path, lines := found[1], strings.Split(strings.TrimSpace(found[2]), "\n")
		rest := read(t, path)
		for _, line := range lines {
			_, after, ok := strings.Cut(rest, strings.TrimSpace(line))
			if !ok {
				t.Errorf("%q does not stand in %s, or not in this order", line, path)
				break
			}
			rest = after
		}
	}
}

// TestMessages: what the README explains of messages is what infisync says.
func TestMessages(t *testing.T) {
	readme := read(t, "README.md")
	_, rest, _ := strings.Cut(readme, "<!-- messages -->")
	table, _, ok := strings.Cut(rest, "<!-- end of messages -->")
	if !ok {
		t.Fatal("the README has no table of messages")
	}
	var said strings.Builder
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "infisicaltest") {
			text, failure := os.ReadFile(path)
			said.Write(text)
			return failure
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// What the Go library and servers say.
	foreign := "x509: certificate connection refused no such host temporarily locked"
	messages := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, message := range messages.FindAllStringSubmatch(cells[1], -1) {
			rows++
			if !strings.Contains(said.String(), message[1]) && !strings.Contains(foreign, message[1]) {
				t.Errorf("infisync does not say %q", message[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("the README explains %d messages, want 10 and more", rows)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
