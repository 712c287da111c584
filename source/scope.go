package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// A Scope is everything that shapes a listing. What is stored for one scope is
// never used for another. The vault's key is not part of it.
type Scope struct {
	URL       string  `json:"url"`      // normalised base, ending in "/api"
	Method    string  `json:"method"`   // login method: "universal-auth", "token", …
	Identity  string  `json:"identity"` // client id, identity id, or a token's fingerprint; never a secret
	Places    []Place `json:"places"`   // in the written order
	Recursive bool    `json:"recursive"`
	Imports   bool    `json:"imports"`
	Expand    bool    `json:"expand"` // ${…} references are expanded by the server
}

// ID is 8 hex digits that differ between scopes.
func (s Scope) ID() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("source: a scope always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4])
}

// Folder is the name of the folder in the state directory that belongs to the
// scope: the first place's environment, a dash, the ID.
func (s Scope) Folder() string {
	env := "none"
	if len(s.Places) > 0 {
		env = strings.Map(folderRune, s.Places[0].Environment)
	}
	return env[:min(len(env), 64)] + "-" + s.ID()
}

// folderRune lets only such characters into a folder's name as can neither hide
// it nor lead out of its parent.
func folderRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		return r
	}
	return '_'
}

// Environment names the environments of the places, each once, in their order,
// separated by commas.
func (s Scope) Environment() string {
	var slugs []string
	seen := make(map[string]bool)
	for _, p := range s.Places {
		if !seen[p.Environment] {
			seen[p.Environment] = true
			slugs = append(slugs, p.Environment)
		}
	}
	return strings.Join(slugs, ",")
}

// Projects are the ids of the places' projects, each once, in their order.
func (s Scope) Projects() []string {
	ids := []string{}
	seen := make(map[string]bool)
	for _, p := range s.Places {
		if !seen[p.Project] {
			seen[p.Project] = true
			ids = append(ids, p.Project)
		}
	}
	return ids
}

// Matches tells whether s fits what is known of it: every field of known that is
// not empty is the same in s. Of places, the fields that are given must be the
// same, place for place; no places match any. The three flags are not compared.
func (s Scope) Matches(known Scope) bool {
	fits := func(want, got string) bool { return want == "" || want == got }
	if !fits(known.URL, s.URL) || !fits(known.Method, s.Method) || !fits(known.Identity, s.Identity) {
		return false
	}
	if len(known.Places) == 0 {
		return true
	}
	if len(known.Places) != len(s.Places) {
		return false
	}
	for i, want := range known.Places {
		got := s.Places[i]
		if !fits(want.Project, got.Project) || !fits(want.Environment, got.Environment) || !fits(want.Path, got.Path) {
			return false
		}
	}
	return true
}
