package graph

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"infisync/source"
)

// Formats returns the formats of [Graph.Write]; the caller owns the slice.
func Formats() []string { return []string{"table", "json", "dot", "mermaid"} }

// Write prints the graph: as a table for each type, as JSON with "entities" and
// "relations", or for Graphviz or Mermaid to draw. Whatever a name holds, it can
// neither break the format nor move a terminal's cursor. Errors are w's, or have
// source.CodeUsage for a format there is not.
func (g Graph) Write(w io.Writer, format string) error {
	var out bytes.Buffer
	switch format {
	case "table":
		g.writeTable(&out)
	case "json":
		if err := source.WriteJSON(&out, g.withLists()); err != nil {
			return fmt.Errorf("encoding the graph: %w", err)
		}
	case "dot":
		out.WriteString(g.dot())
	case "mermaid":
		out.WriteString(g.mermaid())
	default:
		return source.NoFormat(format, Formats()...)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// withLists returns g with empty lists for nil ones, so that JSON has no null.
func (g Graph) withLists() Graph {
	if g.Entities == nil {
		g.Entities = []Entity{}
	}
	if g.Relations == nil {
		g.Relations = []Relation{}
	}
	return g
}

// writeTable writes a table for each type that g has entities of. Relations are
// columns.
func (g Graph) writeTable(out *bytes.Buffer) {
	labels := g.labels()
	to := make(map[Relation][]string) // relation without To → labels of where it leads
	for _, r := range g.Relations {
		start := Relation{Type: r.Type, From: r.From}
		to[start] = append(to[start], labels[r.toKey()])
	}
	related := func(e Entity, relation string) string {
		return strings.Join(to[Relation{Type: relation, From: e.ID}], ", ")
	}
	for _, typ := range Types() {
		rows := [][]string{heading(typ)}
		for _, e := range g.Entities {
			switch {
			case e.Type != typ:
			case typ == TypeService:
				rows = append(rows, []string{e.URL})
			case typ == TypeProject:
				rows = append(rows, []string{e.Label(), e.ID, strings.Join(e.Environments, ", "), related(e, HostedBy)})
			case typ == TypeVault:
				rows = append(rows, []string{e.Host, e.Scope})
			case typ == TypeSecret:
				project, ok := labels[key{TypeProject, e.Project}]
				if !ok {
					project = e.Project
				}
				rows = append(rows, []string{e.Name, project, e.Environment, e.Path, number(e.Version), stamp(e.LastSynced),
					related(e, SyncedTo), related(e, ImportedFrom)})
			}
		}
		if len(rows) > 1 {
			writeRows(out, rows)
		}
	}
}

func heading(typ string) []string {
	switch typ {
	case TypeService:
		return []string{"SERVICE"}
	case TypeProject:
		return []string{"PROJECT", "ID", "ENVIRONMENTS", "HOSTED BY"}
	case TypeVault:
		return []string{"VAULT ON HOST", "SCOPE"}
	}
	return []string{"SECRET", "PROJECT", "ENVIRONMENT", "PATH", "VERSION", "LAST SYNCED", "SYNCED TO", "IMPORTED FROM"}
}

// writeRows writes one table, the first row being its heading, and leaves out
// the columns that are empty in all other rows.
func writeRows(out *bytes.Buffer, rows [][]string) {
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		var cells []string
		for column, cell := range row {
			used := slices.ContainsFunc(rows[1:], func(other []string) bool { return other[column] != "" })
			if !used {
				continue
			}
			if cell == "" {
				cell = "-"
			}
			cells = append(cells, printable(cell))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	table.Flush()
}

// labels names every entity, and every target of a query.
func (g Graph) labels() map[key]string {
	labels := make(map[key]string)
	for _, e := range slices.Concat(g.targets, g.Entities) {
		labels[e.key()] = e.Label()
	}
	return labels
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// printable returns s with \x1b, \u202e and the like for what is no visible
// character or blank, so that no name can write to a terminal what it likes.
func printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == '\uFFFD' && !strings.HasPrefix(s[i:], "\uFFFD") {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
