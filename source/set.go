package source

import (
	"cmp"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// A Secret is one named value and where it came from.
type Secret struct {
	Name     string
	Value    Value
	Place    Place     // the folder it is kept in
	Version  int       // counted by the server from 1; 0: not known
	Updated  time.Time // UTC; zero: not known
	Imported bool      // it came through an import, not from the place asked for
	Hides    []Place   // where secrets of the same name were found that this one beats, nearest first
}

// A Set is an immutable collection of secrets, unique and sorted by name. The
// zero Set is empty. Printing shows names only. Safe for concurrent use.
type Set struct {
	secrets []Secret
}

// NewSet returns the Set of secrets. Of several with one name the last is kept.
func NewSet(secrets ...Secret) Set {
	order := make([]int, len(secrets)) // sorted in place of the secrets, which are larger
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(strings.Compare(secrets[a].Name, secrets[b].Name), cmp.Compare(a, b))
	})
	kept := make([]Secret, 0, len(secrets))
	for i, at := range order {
		if i+1 < len(order) && secrets[order[i+1]].Name == secrets[at].Name {
			continue // of this name there is a later one
		}
		kept = append(kept, secrets[at])
	}
	return Set{secrets: kept}
}

// Len is the number of secrets.
func (s Set) Len() int { return len(s.secrets) }

// All yields the secrets in the order of their names. What it yields is shared:
// its Hides must not be modified.
func (s Set) All() iter.Seq[Secret] { return slices.Values(s.secrets) }

// Get returns the secret of that name.
func (s Set) Get(name string) (Secret, bool) {
	i := sort.Search(len(s.secrets), func(i int) bool { return s.secrets[i].Name >= name })
	if i < len(s.secrets) && s.secrets[i].Name == name {
		return s.secrets[i], true
	}
	return Secret{}, false
}

// Names returns the names in their order; the caller owns the slice.
func (s Set) Names() []string {
	names := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		names[i] = secret.Name
	}
	return names
}

// String returns the names, separated by blanks.
func (s Set) String() string { return strings.Join(s.Names(), " ") }

// GoString returns what String does.
func (s Set) GoString() string { return s.String() }

// Equal tells whether both hold the same names with the same values; where they
// come from and their versions do not count.
func (s Set) Equal(t Set) bool {
	return slices.EqualFunc(s.secrets, t.secrets, func(a, b Secret) bool {
		return a.Name == b.Name && a.Value.Equal(b.Value)
	})
}

// Lost returns the names that s holds and next does not.
func (s Set) Lost(next Set) []string {
	var lost []string
	for _, secret := range s.secrets {
		if _, ok := next.Get(secret.Name); !ok {
			lost = append(lost, secret.Name)
		}
	}
	return lost
}

// Select returns the secrets whose names match one of the globs in only, or all
// when it is empty, and none in except. Globs are those of path.Match; one that is
// malformed is an error with CodeUsage.
func (s Set) Select(only, except []string) (Set, error) {
	var selected []Secret
	for _, secret := range s.secrets {
		in, err := matchAny(only, secret.Name)
		if err != nil {
			return Set{}, err
		}
		out, err := matchAny(except, secret.Name)
		if err != nil {
			return Set{}, err
		}
		if (in || len(only) == 0) && !out {
			selected = append(selected, secret)
		}
	}
	return Set{secrets: selected}, nil
}

func matchAny(globs []string, name string) (bool, error) {
	for _, glob := range globs {
		if ok, err := path.Match(glob, name); err != nil {
			return false, Errorf(CodeUsage, "pattern %q is not a glob", glob)
		} else if ok {
			return true, nil
		}
	}
	return false, nil
}
