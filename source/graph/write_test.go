package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"infisync/source"
)

func write(t *testing.T, g Graph, format string) string {
	t.Helper()
	var out bytes.Buffer
	if err := g.Write(&out, format); err != nil {
		t.Fatalf("Write %s: %v", format, err)
	}
	return out.String()
}

func selected(t *testing.T, g Graph, q Query) Graph {
	t.Helper()
	answer, err := g.Select(q)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	facts := someFacts()
	update(t, dir, facts)
	g := load(t, dir)
	want := strings.ReplaceAll(`SERVICE
https://secrets.example/api

PROJECT  ID  ENVIRONMENTS  HOSTED BY
shop     p1  dev, prod     https://secrets.example/api
base     p2  prod, dev     https://secrets.example/api
unused   p3  -             https://secrets.example/api

VAULT ON HOST  SCOPE
web-1          FOLDER

SECRET   PROJECT  ENVIRONMENT  PATH     VERSION  LAST SYNCED           SYNCED TO  IMPORTED FROM
API_KEY  shop     dev          /        3        2026-01-02T11:00:00Z  web-1      -
DB_URL   shop     dev          /db      1        2026-01-02T12:00:00Z  web-1      -
SHARED   base     dev          /shared  -        2026-01-02T12:00:00Z  web-1      base
`, "FOLDER", facts.Scope.Folder())
	if diff := cmp.Diff(want, write(t, g, "table")); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	// Columns that say nothing are left out.
	want = `SECRET   PROJECT  ENVIRONMENT  PATH  VERSION  LAST SYNCED
API_KEY  shop     dev          /     3        2026-01-02T11:00:00Z
DB_URL   shop     dev          /db   1        2026-01-02T12:00:00Z
`
	if diff := cmp.Diff(want, write(t, selected(t, g, Query{Relation: BelongsTo, Target: "p1"}), "table")); diff != "" {
		t.Errorf("table of a project's secrets (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, someFacts())
	g := load(t, dir)
	var back Graph
	if err := json.Unmarshal([]byte(write(t, g, "json")), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g.Entities, back.Entities); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if !slices.Equal(g.Relations, back.Relations) {
		t.Errorf("relations read back: %v", back.Relations)
	}
	const empty = "{\n  \"entities\": [],\n  \"relations\": []\n}\n"
	for _, g := range []Graph{{}, selected(t, g, Query{Name: "nothing"})} {
		if got := write(t, g, "json"); got != empty {
			t.Errorf("an empty graph: %q", got)
		}
	}
	one := write(t, selected(t, g, Query{Type: TypeSecret, Relation: BelongsTo, Name: "API_KEY"}), "json")
	for _, key := range []string{`"type": "secret"`, `"name": "API_KEY"`, `"project": "p1"`, `"environment": "dev"`,
		`"path": "/"`, `"version": 3`, `"last_synced": "2026-01-02T11:00:00Z"`, `"source": "p1:dev:/:API_KEY"`, `"target": "p1"`} {
		if !strings.Contains(one, key) {
			t.Errorf("no %s in %s", key, one)
		}
	}
}

func TestWriteFailures(t *testing.T) {
	if err := (Graph{}).Write(io.Discard, "svg"); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("format svg: %v, want a usage error", err)
	}
	reader, writer := io.Pipe()
	reader.Close()
	for _, format := range Formats() {
		if err := (Graph{}).Write(writer, format); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("format %s to a closed pipe: %v", format, err)
		}
	}
}

func TestNoValueAnywhere(t *testing.T) {
	dir := t.TempDir()
	facts := someFacts()
	update(t, dir, facts)
	file, err := os.ReadFile(Path(dir, facts.Scope))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"the file": string(file)}
	g := load(t, dir)
	for _, format := range Formats() {
		texts[format] = write(t, g, format)
	}
	quoted, _ := json.Marshal(canary)
	for where, text := range texts {
		for _, form := range []string{canary, "7f3a", strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(canary)),
			base64.StdEncoding.EncodeToString([]byte(canary)), strconv.Quote(canary), "redacted"} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds a value as %q", where, form)
			}
		}
	}
}

// hostileNames try to leave the quotes of each format, or to draw on a terminal.
var hostileNames = []string{
	`"`, `\`, `"];x->y;"`, `\"]; x [label="`, `a\`, `a\\`, `\N\G\E\L\l\r\n`, "a\nb", "a\r\nb", "a\tb", "\x1b[31mred\x1b[0m", "\x00", "\x7f",
	"\u0085", "\u2028", "\u202eevil", "\ufeff", "<b>bold</b>", "<script>alert(1)</script>", "&lt;", "&amp;amp;", "&", "#quot;", "#35;",
	`"]`, "]", "[[", "(", ")", "{}", "|", "||", "-->", "--", "end", "subgraph x", "graph", "%%", "%% comment", "click n1 href \"x\"", "`md`", "**b**",
	"1. list", "- list", "_em_", "A_B_C", "https://x.example/?a=b&c=d", "www.example.com", "a;b", "n1", "üñï😀", "\xff\xfe", " ", "", "  two  ",
	strings.Repeat("x", 300),
}

func hostileGraph() Graph {
	var set []source.Secret
	facts := Facts{Scope: source.Scope{URL: hostileNames[2]}, Host: hostileNames[10], At: noon}
	for i, name := range hostileNames {
		set = append(set, secret(name, source.Place{Project: name + strconv.Itoa(i), Environment: name, Path: "/" + name}, i))
		facts.Projects = append(facts.Projects, Project{ID: name + strconv.Itoa(i), Name: name, Environments: []string{name}})
	}
	facts.Set = source.NewSet(set...)
	return build(facts, Graph{})
}

// A name takes one cell of one line, and nothing but visible characters.
func TestTableOfHostileNames(t *testing.T) {
	text := write(t, hostileGraph(), "table")
	if !utf8.ValidString(text) {
		t.Error("not UTF-8")
	}
	for _, r := range text {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%q in a table", r)
		}
	}
	// Four headings, three blank lines, one service, one vault.
	if got, want := strings.Count(text, "\n"), 4+3+2+2*len(hostileNames); got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	if !strings.Contains(text, `\x1b[31mred`) {
		t.Error("an escape sequence is not shown as text")
	}
}

// Graphviz itself reads the drawing and shows each name as it is.
func TestDotIsRendered(t *testing.T) {
	path, err := exec.LookPath("dot")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("dot is missing: install graphviz")
		}
		t.Skip("Graphviz's dot is not installed")
	}
	g := hostileGraph()
	command := exec.CommandContext(t.Context(), path, "-Tsvg")
	command.Stdin = strings.NewReader(write(t, g, "dot"))
	var errs strings.Builder
	command.Stderr = &errs
	svg, err := command.Output()
	if err != nil || strings.Contains(errs.String(), "rror") {
		t.Fatalf("dot: %v\n%s", err, &errs)
	}
	want := make(map[string]int) // text → how often
	for _, e := range g.Entities {
		want[blanks(printable(e.caption()))]++
	}
	for _, r := range g.Relations {
		want[r.Type]++
	}
	got := make(map[string]int)
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			var text string
			if err := decoder.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			got[blanks(text)]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts that dot drew (-want +got):\n%s", diff)
	}
}

// blanks takes the blanks away that dot writes as non-breaking ones.
func blanks(s string) string { return strings.Trim(strings.ReplaceAll(s, "\u00a0", " "), " ") }

// No Mermaid is at hand to read its own language, so each line must have one of
// the forms below, in which a label holds nothing that means anything.
func TestMermaid(t *testing.T) {
	const label = `"(?:[A-Za-z0-9 /(),_-]|#[0-9]+;)*"`
	form := regexp.MustCompile(`^(?:flowchart LR;|\tn\d+(?:\(` + label + `\)|\(\[` + label + `\]\)|\[\[` + label + `\]\]|\[\(` + label + `\)\]);|\tn\d+-->\|"[a-z_]+"\|n\d+;)$`)
	g := hostileGraph()
	text := write(t, g, "mermaid")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if got, want := len(lines), 1+len(g.Entities)+len(g.Relations); got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	for _, line := range lines {
		if !form.MatchString(line) {
			t.Errorf("not a line of a flowchart: %q", line)
		}
	}
	codes := regexp.MustCompile(`#([0-9]+);`)
	for _, e := range g.Entities {
		caption := printable(e.caption())
		back := codes.ReplaceAllStringFunc(quoteMermaid(caption), func(code string) string {
			n, _ := strconv.Atoi(strings.Trim(code, "#;"))
			return string(rune(n))
		})
		if back != caption {
			t.Errorf("%q is shown as %q", caption, back)
		}
	}
	for text, want := range map[string]string{"DB_URL (dev:/a)": "DB_URL (dev#58;/a)", "_x_": "#95;x#95;", "- a-b": "#45; a-b"} {
		if got := quoteMermaid(text); got != want {
			t.Errorf("quoteMermaid(%q) = %q, want %q", text, got, want)
		}
	}
}

// Drawings of equal graphs are equal, and of a query they name the targets.
func TestDrawingOfQuery(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, someFacts())
	answer := selected(t, load(t, dir), Query{Relation: BelongsTo, Target: "p1"})
	const want = "flowchart LR;\n\tn3([\"shop\"]);\n\tn1(\"API_KEY (dev#58;/)\");\n\tn2(\"DB_URL (dev#58;/db)\");\n" +
		"\tn1-->|\"belongs_to\"|n3;\n\tn2-->|\"belongs_to\"|n3;\n"
	if got := write(t, answer, "mermaid"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range 20 {
		if a, b := write(t, hostileGraph(), "dot"), write(t, hostileGraph(), "dot"); a != b {
			t.Fatal("two drawings of one graph differ")
		}
	}
}
