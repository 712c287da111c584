package vault

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"infisync/source"
)

// A Kind says why a vault holds a value.
type Kind string

// The kinds, in the order in which they count for one name.
const (
	KindLocal   Kind = "local"
	KindPulled  Kind = "pulled"
	KindOrphan  Kind = "orphan"
	KindDeleted Kind = "deleted" // not kept, but to be restored
)

// Listed is what is told of one value without telling the value.
type Listed struct {
	Name     string
	Kind     Kind
	Place    source.Place // where it was pulled from; zero for a local one, and for a deleted one
	Imported bool         // it was pulled through an import of Place
	Origin   string       // of a local one as in Local, of a deleted one as in Deleted; else empty
	Version  int          // the server's; 0: not known
	Since    time.Time    // when it came, an orphan: went from the server, a deleted one: was deleted; zero: not known
	Previous bool         // the value it had before is kept
}

// Restorable is until when a deleted value can be restored; zero for any other.
func (l Listed) Restorable() time.Time {
	if l.Kind != KindDeleted {
		return time.Time{}
	}
	return l.Since.Add(keepDeleted)
}

// List lists all that the vault holds, by name. Of several values with one name the
// first is what Get returns, and deleted ones come last, the first of them being
// what Restore restores.
func (c *Contents) List() []Listed {
	var all []Listed
	add := func(l Listed) {
		_, l.Previous = c.Previous[l.Name]
		all = append(all, l)
	}
	for name, local := range c.Local {
		add(Listed{Name: name, Kind: KindLocal, Origin: local.Origin, Since: local.Set})
	}
	for s := range c.Set.All() {
		add(Listed{Name: s.Name, Kind: KindPulled, Place: s.Place, Imported: s.Imported, Version: s.Version, Since: c.Synced[s.Name]})
	}
	for name, orphan := range c.Orphans {
		s := orphan.Secret
		add(Listed{Name: name, Kind: KindOrphan, Place: s.Place, Imported: s.Imported, Version: s.Version, Since: orphan.Since})
	}
	for _, deleted := range slices.Backward(c.Deleted) {
		add(Listed{Name: deleted.Name, Kind: KindDeleted, Origin: deleted.Origin, Since: deleted.At})
	}
	// Stable: it keeps the order in which the kinds, and the deleted, were added.
	slices.SortStableFunc(all, func(a, b Listed) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// WriteList writes what List returns to w: in format "text" a table, with ages
// counted to now, in "json" an array. Whatever a name holds, it moves no terminal's
// cursor. Errors are w's, or have source.CodeUsage for a format there is not.
func (c *Contents) WriteList(w io.Writer, format string, now time.Time) error {
	list := c.List()
	switch format {
	case "json":
		records := make([]listedJSON, len(list))
		for i, l := range list {
			records[i] = l.asJSON()
		}
		return source.WriteJSON(w, records)
	case "text":
	default:
		return source.NoFormat(format, "text", "json")
	}
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(table, "NAME\tORIGIN\tVERSION\tAGE\tPREVIOUS")
	} else {
		fmt.Fprintln(table, "the vault is empty")
	}
	for _, l := range list {
		version, previous := "-", "-"
		if l.Version > 0 {
			version = strconv.Itoa(l.Version)
		}
		if l.Previous {
			previous = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", source.Word(l.Name), l.origin(), version, shownAge(l.Since, now), previous)
	}
	table.Flush() // a bytes.Buffer takes all
	_, err := w.Write(out.Bytes())
	return err
}

// origin is where the value came from, for people.
func (l Listed) origin() string {
	from := l.Origin
	if l.Place != (source.Place{}) {
		from = l.Place.String()
	}
	from = source.Word(from)
	if l.Imported {
		from = "import of " + from
	}
	switch l.Kind {
	case KindLocal:
		return "local: " + from
	case KindOrphan:
		return from + ", orphan since " + l.Since.UTC().Format(time.DateOnly)
	case KindDeleted:
		return from + ", deleted, restorable until " + l.Restorable().UTC().Format(time.DateOnly)
	}
	return from
}

// listedJSON is a Listed as scripts read it: what is not known is left out.
type listedJSON struct {
	Name       string      `json:"name"`
	Kind       Kind        `json:"kind"`
	Deleted    bool        `json:"deleted"`
	Place      placeRecord `json:"place,omitzero"`
	Imported   bool        `json:"imported"`
	Origin     string      `json:"origin,omitempty"`
	Version    int         `json:"version,omitempty"`
	Since      time.Time   `json:"since,omitzero"`
	Previous   bool        `json:"previous"`
	Restorable time.Time   `json:"restorable_until,omitzero"`
}

func (l Listed) asJSON() listedJSON {
	return listedJSON{
		Name: l.Name, Kind: l.Kind, Deleted: l.Kind == KindDeleted, Place: recordPlace(l.Place), Imported: l.Imported, Origin: l.Origin,
		Version: l.Version, Since: l.Since, Previous: l.Previous, Restorable: l.Restorable(),
	}
}

// shownAge is how long ago something was, in one unit: minutes, say, once it is one.
func shownAge(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero(), d < 0: // negative: the clock was set back
		return "-"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}
