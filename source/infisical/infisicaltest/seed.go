package infisicaltest

import (
	"encoding/json"
	"fmt"
	"io"

	"infisync/source"
)

// A Seed is what a server holds at its start. In JSON the keys are the fields'
// names as tagged; unknown keys are refused.
type Seed struct {
	Projects      []Project      `json:"projects"`
	Identities    []Identity     `json:"identities"`
	Users         []User         `json:"users,omitempty"`
	ServiceTokens []ServiceToken `json:"serviceTokens,omitempty"`
	Folders       []Folder       `json:"folders,omitempty"` // parents are made as needed
}

// A Project holds environments. An empty ID or Slug is derived from the name.
type Project struct {
	ID           string        `json:"id,omitempty"`
	Name         string        `json:"name"`
	Slug         string        `json:"slug,omitempty"`
	Environments []Environment `json:"environments"`
	UpperCase    bool          `json:"upperCase,omitempty"` // refuses names with lower-case letters
	TooOld       bool          `json:"tooOld,omitempty"`    // never upgraded: the raw API refuses it
}

// An Environment is one of a project's. An empty Name is the slug.
type Environment struct {
	Slug string `json:"slug"`
	Name string `json:"name,omitempty"`
}

// A Role is what an identity may do in its projects.
type Role string

// The roles. The empty Role is Admin.
const (
	Admin    Role = "admin"
	Viewer   Role = "viewer"   // reads, writes nothing
	Describe Role = "describe" // sees names and metadata, no values
	NoAccess Role = "no-access"
)

// An Identity is a machine identity that logs in with universal auth.
type Identity struct {
	Name         string   `json:"name,omitempty"`
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	Projects     []string `json:"projects,omitempty"` // ids; empty: all
	Role         Role     `json:"role,omitempty"`

	Hide []source.Place `json:"hide,omitempty"` // folders, with all below, whose values it may not read
	Deny []source.Place `json:"deny,omitempty"` // folders, with all below, it may not see

	TTL        int `json:"ttl,omitempty"`        // of tokens, in seconds; 0: 30 days; negative: reported as 0
	MaxTTL     int `json:"maxTTL,omitempty"`     // in seconds; 0: 30 days
	TokenUses  int `json:"tokenUses,omitempty"`  // requests per token; 0: unlimited
	SecretUses int `json:"secretUses,omitempty"` // logins per client secret; 0: unlimited

	// Logins are the methods other than universal auth: the method's name in the
	// route, as "kubernetes-auth", and the fields its body must hold besides
	// identityId, which is the client id.
	Logins map[string]map[string]string `json:"logins,omitempty"`
}

// A User is a person, who has personal secrets. Users do not log in here:
// [Server.UserToken] makes their tokens.
type User struct {
	ID       string   `json:"id"`
	Projects []string `json:"projects,omitempty"` // ids; empty: all
}

// A ServiceToken is the deprecated kind of token that is fixed to one project
// and environment.
type ServiceToken struct {
	Token       string `json:"token"` // "st.<id>.<secret>"
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment"`
	Path        string `json:"path,omitempty"` // empty: "/"
	Write       bool   `json:"write,omitempty"`
}

// A Folder is a place with what it holds. An empty Project is the seed's first.
type Folder struct {
	Project     string   `json:"project,omitempty"`
	Environment string   `json:"environment"`
	Path        string   `json:"path,omitempty"` // empty: "/"
	Secrets     []Secret `json:"secrets,omitempty"`
	Imports     []Import `json:"imports,omitempty"` // in their order
}

// A Secret is stored as the server would after a write, trimmed. Two secrets
// with one name make two rows, as races did on old servers.
type Secret struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Comment string `json:"comment,omitempty"`
	Version int    `json:"version,omitempty"` // 0: 1
	User    string `json:"user,omitempty"`    // the owner of a personal secret; empty: shared
}

// An Import names a folder of the same project whose secrets are taken over.
type Import struct {
	Environment string `json:"environment"`
	Path        string `json:"path,omitempty"` // empty: "/"; it need not exist
}

// Ids and credentials of [DefaultSeed].
const (
	DefaultProjectID    = "7d2c1f3e-5b0a-4c8e-9f64-0a1b2c3d4e5f"
	DefaultClientID     = "1f6d2c4b-8a3e-4f57-b1c9-d0e1f2a3b4c5"
	DefaultClientSecret = "emulator-client-secret-0123456789abcdef0123456789abcdef"
)

// DefaultSeed is one project with the environments dev, staging and prod, one
// identity that may do everything in it, and no secret.
func DefaultSeed() Seed {
	return Seed{
		Projects: []Project{{
			ID: DefaultProjectID, Name: "demo", Slug: "demo",
			Environments: []Environment{
				{Slug: "dev", Name: "Development"}, {Slug: "staging", Name: "Staging"}, {Slug: "prod", Name: "Production"},
			},
		}},
		Identities: []Identity{{Name: "demo", ClientID: DefaultClientID, ClientSecret: DefaultClientSecret}},
	}
}

// ReadSeed reads a Seed from JSON.
func ReadSeed(r io.Reader) (Seed, error) {
	var seed Seed
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&seed); err != nil {
		return Seed{}, fmt.Errorf("reading seed: %w", err)
	}
	return seed, nil
}
