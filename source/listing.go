package source

import (
	"cmp"
	"slices"
)

// A Listing is what one place answered: its own secrets and those it imports.
type Listing struct {
	Place   Place    // as asked for
	Own     []Secret // each with the folder it is kept in; several folders when asked recursively
	Imports []Import // in the server's order
}

// An Import is the secrets that a place takes over from another one.
type Import struct {
	Place   Place
	Secrets []Secret // direct ones before those the import imports itself
}

// Empty tells whether the place listed nothing at all.
func (l Listing) Empty() bool {
	return len(l.Own) == 0 && !slices.ContainsFunc(l.Imports, func(i Import) bool { return len(i.Secrets) > 0 })
}

// Merge makes one Set of what the places list. Of several secrets with one name,
// the one of the later place wins. Inside one place its own beats the imported;
// of imports the last listed wins, and in one import the first. Of own secrets
// the folder nearest to the asked path wins, then the path that sorts first,
// then, in one folder, the one updated last. The winner's Hides names the rest.
func Merge(listings []Listing) Set {
	var all []Secret // of one name the winner first
	for _, listing := range slices.Backward(listings) {
		all = append(all, listing.ranked()...)
	}
	secrets := all[:0]
	at := make(map[string]int, len(all)) // name → index of the winner
	for _, secret := range all {
		i, beaten := at[secret.Name]
		if !beaten {
			at[secret.Name] = len(secrets)
			secrets = append(secrets, secret)
			continue
		}
		if winner := &secrets[i]; !slices.Contains(winner.Hides, secret.Place) {
			winner.Hides = append(winner.Hides, secret.Place)
		}
	}
	return NewSet(secrets...)
}

// ranked returns the listing's secrets so that of one name the winner is first.
func (l Listing) ranked() []Secret {
	out := slices.Clone(l.Own)
	slices.SortStableFunc(out, func(a, b Secret) int {
		return cmp.Or(
			cmp.Compare(a.Place.Depth(), b.Place.Depth()),
			cmp.Compare(a.Place.Path, b.Place.Path),
			b.Updated.Compare(a.Updated),
		)
	})
	for _, imported := range slices.Backward(l.Imports) {
		for _, secret := range imported.Secrets {
			secret.Imported = true
			out = append(out, secret)
		}
	}
	return out
}
