package syncer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/dotenv"
	"infisync/source/infisical"
	"infisync/source/vault"
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

// Diff pulls, stores nothing, and compares what the server lists with the one .env
// file in files or, when there is none, with the vault: what was pulled into it
// last, with the local values over it and without orphans. Errors are those of
// reading the file, of pulling or of opening the vault. It is called instead of
// Start.
func (s *Syncer) Diff(ctx context.Context, files []string) (Difference, error) {
	switch {
	case len(files) > 1:
		return Difference{}, source.Errorf(source.CodeUsage, "diff compares the server with one .env file, got %d", len(files))
	case s.opt.Client == nil:
		return Difference{}, source.Errorf(source.CodeNothingConfigured, "no server is configured: there is nothing to compare with")
	case len(files) == 1:
		file, err := dotenv.File{Path: files[0]}.Load(ctx)
		if err != nil {
			return Difference{}, err
		}
		server, err := s.ask(ctx)
		if err != nil {
			return Difference{}, err
		}
		return Compare("server", server, files[0], file), nil
	}
	server, err := s.ask(ctx)
	if err != nil {
		return Difference{}, err
	}
	s.opt.Known = s.scope() // settled by now
	contents, err := s.peekVault()
	if err != nil {
		return Difference{}, err
	}
	return Compare("server", server, "vault", meant(contents)), nil
}

// ask pulls within the start's time limit and stores nothing.
func (s *Syncer) ask(ctx context.Context) (source.Set, error) {
	if err := s.openStore(); err != nil {
		return source.Set{}, err
	}
	limit := s.opt.StartTimeout
	if limit == 0 {
		limit = s.opt.Policy.PatientStart
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p, err := s.pull(ctx, s.opt.Client)
	if err != nil {
		return source.Set{}, err
	}
	return p.set(), nil
}

// meant is what the server should hold after a push of all local values.
func meant(c vault.Contents) source.Set {
	secrets := slices.Collect(c.Set.All())
	for name, local := range c.Local {
		secrets = append(secrets, source.Secret{Name: name, Value: local.Value})
	}
	return source.NewSet(secrets...)
}

// Write writes the difference to w: in format "text" a line for each name, "+" for
// one only on the right, "-" for one only on the left, "~" for other values, and
// one of summary; in "json" one object.
func (d Difference) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return source.WriteJSON(w, struct {
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
	return source.NoFormat(format, "text", "json")
}

func (d Difference) text() string {
	left, right := source.Word(d.Left), source.Word(d.Right)
	if !d.Differs() {
		return fmt.Sprintf("%s and %s do not differ: %d equal\n", left, right, d.Equal)
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
		fmt.Fprintf(&b, "%s %s\n", marks[name], source.Word(name))
	}
	fmt.Fprintf(&b, "%d only in %s, %d only in %s, %d with other values, %d equal\n",
		len(d.Added), right, len(d.Removed), left, len(d.Changed), d.Equal)
	return b.String()
}

// listOf is names, and no null in JSON when there are none.
func listOf(names []string) []string { return append([]string{}, names...) }
