package inject

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An Env is a child's whole environment: unique names, sorted, and the files that
// it finds. It is immutable and safe for concurrent use. The zero Env is empty.
// Printing shows names only.
type Env struct {
	entries []entry
	filed   []entry // secrets that are in files only
	files   []File
}

// An entry is one string of an environment and what is known of it.
type entry struct {
	Var
	bare    bool // there is no "=": the name is the whole string
	layered bool // it came from a layer: it was not inherited and is not one of Policy.Extra
}

// text returns the entry as execve takes it.
func (e entry) text() string {
	if e.bare {
		return e.name
	}
	return e.name + "=" + e.Reveal()
}

// size is the number of bytes the kernel copies for the entry, its NUL included.
func (e entry) size() int {
	n := len(e.name) + len(e.Reveal()) + 1
	if !e.bare {
		n++
	}
	return n
}

// inheritedEntry reads one string of an environment as getenv(3) would: the name
// ends at the first "=", which is not looked for at the very beginning. (Windows
// keeps names like "=C:" there.)
func inheritedEntry(s string) entry {
	if s != "" {
		if i := strings.IndexByte(s[1:], '='); i >= 0 {
			return entry{Var: NewVar(s[:i+1], s[i+2:])}
		}
	}
	return entry{Var: NewVar(s, ""), bare: true}
}

// Environ returns the entries as "NAME=value". The caller owns the slice, which
// holds secrets in the clear: it is for execve and nothing else. It is never nil,
// since a nil slice means "as the parent" to some functions.
func (e Env) Environ() []string {
	out := make([]string, 0, len(e.entries))
	for _, entry := range e.entries {
		out = append(out, entry.text())
	}
	return out
}

// Len is the number of entries.
func (e Env) Len() int { return len(e.entries) }

// Names returns the names in their order; the caller owns the slice.
func (e Env) Names() []string {
	names := make([]string, len(e.entries))
	for i, entry := range e.entries {
		names[i] = entry.name
	}
	return names
}

// Lookup returns the value of the variable of that name.
func (e Env) Lookup(name string) (string, bool) {
	if i, ok := e.find(name); ok && !e.entries[i].bare {
		return e.entries[i].Reveal(), true
	}
	return "", false
}

func (e Env) find(name string) (int, bool) {
	return slices.BinarySearchFunc(e.entries, name, func(entry entry, name string) int {
		return strings.Compare(entry.name, name)
	})
}

// With returns the environment with vars added, each replacing what had its
// name. They do not count for the digest.
func (e Env) With(vars ...Var) Env {
	names := make([]string, len(vars))
	for i, v := range vars {
		names[i] = v.name
	}
	out := e.Without(func(name string) bool { return slices.Contains(names, name) })
	for _, v := range vars {
		i, _ := out.find(v.name)
		out.entries = slices.Insert(out.entries, i, entry{Var: v})
	}
	return out
}

// Without returns the environment without the names that drop picks.
func (e Env) Without(drop func(name string) bool) Env {
	kept := make([]entry, 0, len(e.entries))
	for _, entry := range e.entries {
		if !drop(entry.name) {
			kept = append(kept, entry)
		}
	}
	return Env{entries: kept, filed: e.filed, files: e.files}
}

// secrets are what the layers brought, in the order of the names.
func (e Env) secrets() []entry {
	secrets := slices.Clone(e.filed)
	for _, entry := range e.entries {
		if entry.layered {
			secrets = append(secrets, entry)
		}
	}
	slices.SortFunc(secrets, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return secrets
}

// variables is the environment without the files and what is only in them.
func (e Env) variables() Env { return Env{entries: e.entries} }

// Digest tells environments apart by what the layers brought, in variables or in
// files: 64 hex digits. For each such secret, in the order of the names, these
// bytes are hashed with SHA-256:
//
//	length of the name, 8 bytes, big endian
//	name
//	SHA-256 of "name:value", 32 bytes
//
// The length keeps {A: "BC"} and {AB: "C"} apart. What was inherited and
// Policy.Extra do not count.
func (e Env) Digest() string {
	digest := sha256.New()
	for _, entry := range e.secrets() {
		binary.Write(digest, binary.BigEndian, uint64(len(entry.name)))
		io.WriteString(digest, entry.name)
		sum := sha256.Sum256([]byte(entry.name + ":" + entry.Reveal()))
		digest.Write(sum[:])
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// String returns the names, separated by blanks.
func (e Env) String() string { return strings.Join(e.Names(), " ") }

// Format writes the names for every verb.
func (e Env) Format(s fmt.State, _ rune) { io.WriteString(s, e.String()) }

// MarshalText returns the names.
func (e Env) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Changes are the names by which two environments differ, each list sorted.
type Changes struct {
	Changed, Added, Removed []string
}

// Diff compares what the layers brought to old with what they brought to new.
func Diff(old, new Env) Changes {
	var c Changes
	before := make(map[string]string) // name → value
	for _, entry := range old.secrets() {
		before[entry.name] = entry.Reveal()
	}
	for _, entry := range new.secrets() {
		value, ok := before[entry.name]
		switch {
		case !ok:
			c.Added = append(c.Added, entry.name)
		case value != entry.Reveal():
			c.Changed = append(c.Changed, entry.name)
		}
		delete(before, entry.name)
	}
	for name := range before {
		c.Removed = append(c.Removed, name)
	}
	slices.Sort(c.Removed)
	return c
}

// Empty tells whether there is no difference.
func (c Changes) Empty() bool {
	return len(c.Changed)+len(c.Added)+len(c.Removed) == 0
}

// String returns the form of log lines: "A changed, B added, C removed". Names
// are quoted when they hold more than letters, digits and "_"; those after the
// 20th are only counted: "… and 3 more".
func (c Changes) String() string {
	var parts []string
	for _, group := range []struct {
		names []string
		verb  string
	}{{c.Changed, "changed"}, {c.Added, "added"}, {c.Removed, "removed"}} {
		for _, name := range group.names {
			parts = append(parts, printable(name)+" "+group.verb)
		}
	}
	return enumerate(parts, ", ")
}

// printable returns name for a message: as it is when it is a usual one, quoted
// otherwise, so that no name can forge a line.
func printable(name string) string {
	unusual := func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	}
	if name == "" || strings.ContainsFunc(name, unusual) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

func printableList(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = printable(name)
	}
	return enumerate(out, ", ")
}

// maxShown is how many names a message lists. What collects logs cuts lines of 16 KiB.
const maxShown = 20

// enumerate joins the parts of a message, and says how many there are beyond maxShown.
func enumerate(parts []string, separator string) string {
	if more := len(parts) - maxShown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(parts[:maxShown], separator), more)
	}
	return strings.Join(parts, separator)
}
