package vault

import (
	"testing"

	"infisync/source"
)

func TestValue(t *testing.T) {
	c := listed()
	c.Delete("GONE", day(5))
	for _, test := range []struct {
		name     string
		previous bool
		want     string
		fails    string
	}{
		{"BOTH", false, canary, ""},
		{"BOTH", true, canary + "BOTH", ""},
		{"IMPORTED", false, canary + "IMPORTED", ""},
		{"IMPORTED", true, "", `the vault holds no previous value of "IMPORTED"`},
		{"GONE", false, "", `"GONE" was deleted from the vault; it can still be restored`},
		{"NONE", false, "", `the vault holds no "NONE"`},
		{"NONE", true, "", `the vault holds no previous value of "NONE"`},
	} {
		got, err := c.Value(test.name, test.previous)
		if got.Reveal() != test.want {
			t.Errorf("%s, previous %v: not the value it should be", test.name, test.previous)
		}
		if test.fails == "" && err != nil || test.fails != "" && (source.CodeOf(err) != source.CodeSecretNotFound || err.Error() != test.fails) {
			t.Errorf("%s, previous %v: %v, want %q", test.name, test.previous, err, test.fails)
		}
	}
}
