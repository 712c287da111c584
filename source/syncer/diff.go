package syncer

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
)

// A Difference is how the names and values of two sets differ: names only. They
// are sorted.
type Difference struct {
	Left, Right string   // what was compared: "server", "vault" or a file's path
	Added       []string // only on the right
	Removed     []string // only on the left
	Changed     []string // on both sides with different values
	Equal       int      // how many are the same on both sides
}

// Compare compares two sets under the names that their sides have for people. At
// least one of them is a server's: white space that it trims off a value makes no
// difference.
func Compare(leftName string, left source.Set, rightName string, right source.Set) Difference {
	d := Difference{Left: leftName, Right: rightName, Added: right.Lost(left), Removed: left.Lost(right)}
	for a := range left.All() {
		switch b, ok := right.Get(a.Name); {
		case !ok:
		case infisical.Normalize(a.Value).Equal(infisical.Normalize(b.Value)):
			d.Equal++
		default:
			d.Changed = append(d.Changed, a.Name)
		}
	}
	return d
}

// Differs tells whether there is any difference.
func (d Difference) Differs() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) > 0 }

// Write writes the difference to w: in format "text" a line for each name, "+" for
// one only on the right, "-" for one only on the left, "~" for other values, and
// one of summary; in "json" one object.
func (d Difference) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return writeJSON(w, struct {
			Left    string   `json:"left"`
			Right   string   `json:"right"`
			Differs bool     `json:"differs"`
			Added   []string `json:"added"`
			Removed []string `json:"removed"`
			Changed []string `json:"changed"`
			Equal   int      `json:"equal"`
		}{d.Left, d.Right, d.Differs(), listOf(d.Added), listOf(d.Removed), listOf(d.Changed), d.Equal})
	case "text":
		_, err := io.WriteString(w, d.text())
		return err
	}
	return noFormat(format, "text")
}

func (d Difference) text() string {
	left, right := shown(d.Left), shown(d.Right)
	if !d.Differs() {
		return fmt.Sprintf("%s and %s hold the same, %d secrets\n", left, right, d.Equal)
	}
	marks := make(map[string]string)
	for mark, names := range map[string][]string{"+": d.Added, "-": d.Removed, "~": d.Changed} {
		for _, name := range names {
			marks[name] = mark
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", left, right)
	for _, name := range slices.Sorted(slices.Values(slices.Concat(d.Added, d.Removed, d.Changed))) {
		fmt.Fprintf(&b, "%s %s\n", marks[name], shown(name))
	}
	fmt.Fprintf(&b, "%d only in %s, %d only in %s, %d with other values, %d equal\n",
		len(d.Added), right, len(d.Removed), left, len(d.Changed), d.Equal)
	return b.String()
}

// listOf is names, and no null in JSON when there are none.
func listOf(names []string) []string { return append([]string{}, names...) }
