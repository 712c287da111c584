package syncer

import (
	"strings"

	"infisync/source"
)

// NormalizeName returns name in the characters that every shell, file format and
// program takes for a variable: capital letters, digits and underscores. Each
// other character becomes an underscore.
func NormalizeName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return '_'
	}, name)
}

// normalized returns the set under normalised names, and for each new name the
// one that was given. Two names that become one are an error: which value is
// meant?
func normalized(set source.Set) (renamed source.Set, given map[string]string, err error) {
	given = make(map[string]string, set.Len())
	secrets := make([]source.Secret, 0, set.Len())
	for secret := range set.All() {
		name := NormalizeName(secret.Name)
		if other, taken := given[name]; taken {
			return source.Set{}, nil, source.Errorf(source.CodeUsage, "both %q and %q would become %q", other, secret.Name, name)
		}
		given[name] = secret.Name
		secret.Name = name
		secrets = append(secrets, secret)
	}
	return source.NewSet(secrets...), given, nil
}
