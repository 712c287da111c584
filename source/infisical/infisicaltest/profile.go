package infisicaltest

import "fmt"

// A Profile is one kind of server.
type Profile string

// The profiles. The empty Profile is Current.
const (
	Current    Profile = "current"    // as read in the server's source in 2026
	Documented Profile = "documented" // as its public documentation has it
	Legacy     Profile = "legacy"     // late 2024: no v4; held to recorded exchanges
	V42025     Profile = "v4-2025"    // the first servers with v4
)

// Profiles returns all of them, Current first.
func Profiles() []Profile { return []Profile{Current, Documented, Legacy, V42025} }

// traits are what the profiles differ in. The zero traits are Current's.
type traits struct {
	noV3          bool // the v3 routes are gone
	noV4          bool
	oldFlags      bool // v4 spells include_imports, both list flags are off unless sent; events spell secretKeys
	noProjects    bool // only /v1/workspace lists projects
	usersOnly     bool // /v1/workspace is for users: identities get 403
	tokenRows     bool // tokens live in a table: expiry and revocation remove the row
	expired401    bool // an expired token gives 401 instead of 403
	unknownID404  bool // a login with an unknown client id gives 404
	invalid401    bool // a failed validation gives 401 instead of 422
	noRequestID   bool
	noWebPages    bool // nothing but the API is served
	emptyUnknown  bool // an unknown path or environment lists nothing instead of 404
	limit500      bool // an exceeded rate limit gives 500
	created201    bool
	conflict409   bool
	queryDelete   bool // DELETE takes its parameters from the query, too
	valueRequired bool // PATCH cannot leave the value out
	oldNames      bool // any name can be stored; some break the server
	oldSecrets    bool // secrets have "metadata", and say nothing of hidden values
	oldImports    bool // a missing folder shifts the imports behind it
	bothKinds     bool // a list holds shared and personal secrets side by side
	oldMessages   bool
	tagsForgotten bool // ETags are looked up in a cache that can forget them
}

func (p Profile) traits() (traits, error) {
	switch p {
	case Current, "":
		return traits{tagsForgotten: true}, nil
	case Documented:
		return traits{
			noV3: true, noProjects: true, expired401: true, created201: true,
			conflict409: true, queryDelete: true, tagsForgotten: true,
		}, nil
	case V42025:
		return traits{oldFlags: true, tokenRows: true, bothKinds: true}, nil
	case Legacy:
		return traits{
			noV4: true, noProjects: true, usersOnly: true, tokenRows: true,
			unknownID404: true, invalid401: true, noRequestID: true, noWebPages: true,
			emptyUnknown: true, limit500: true, valueRequired: true, oldNames: true,
			oldSecrets: true, oldImports: true, bothKinds: true, oldMessages: true,
		}, nil
	}
	return traits{}, fmt.Errorf("profile %q is none of %q", string(p), Profiles())
}
