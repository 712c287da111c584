package inject

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The drawing in ARCHITECTURE.md has the states that there are, by their names.
func TestStatesAreDrawn(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := make(map[string]bool)
	for _, arrow := range regexp.MustCompile(`(?m)^ +(\w+|\[\*\]) --> (\w+|\[\*\])(:|$)`).FindAllSubmatch(text, -1) {
		for _, name := range arrow[1:3] {
			if string(name) != "[*]" {
				drawn[string(name)] = true
			}
		}
	}
	var want []string
	for s := starting; s <= done; s++ {
		want = append(want, s.String())
	}
	if got := slices.Sorted(maps.Keys(drawn)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("drawn are %q, want %q", got, want)
	}
}
