package vault

import (
	"slices"

	"infisync/source"
)

// Value returns what Get does or, when previous is true, the value that was
// replaced last. When there is none the error has source.CodeSecretNotFound.
func (c *Contents) Value(name string, previous bool) (source.Value, error) {
	value, ok := c.Get(name)
	if previous {
		var p Previous
		p, ok = c.Previous[name]
		value = p.Value
	}
	switch {
	case ok:
		return value, nil
	case previous:
		return source.Value{}, source.Errorf(source.CodeSecretNotFound, "the vault holds no previous value of %q", name)
	case slices.ContainsFunc(c.Deleted, func(d Deleted) bool { return d.Name == name }):
		return source.Value{}, source.Errorf(source.CodeSecretNotFound, "%q was deleted from the vault; it can still be restored", name)
	}
	return source.Value{}, source.Errorf(source.CodeSecretNotFound, "the vault holds no %q", name)
}
