package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadme: the README's table of error codes is this one. With UPDATE_README set
// it is brought up to date.
func TestReadme(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- error codes -->\n", "<!-- end of error codes -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", path, begin, end)
	}
	var want strings.Builder
	want.WriteString("\n| code | cause | remedy |\n| --- | --- | --- |\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ").Replace
	for _, entry := range Codes {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", entry.Code, cell(entry.Cause), cell(entry.Remedy))
	}
	want.WriteString("\n")
	if table == want.String() {
		return
	}
	if os.Getenv("UPDATE_README") == "" {
		t.Fatalf("the table of error codes in %s is not that of codes.go: UPDATE_README=1 go test -run TestReadme ./source/doctor", path)
	}
	if err := os.WriteFile(path, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
