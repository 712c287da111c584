// Package graph keeps a knowledge graph of the secrets' metadata: which secrets
// there are, where they belong, and which machines hold them. It never holds a
// value.
//
//	secret ──belongs_to──► secret_project ──hosted_by──► service
//	secret ──imported_from──► secret_project
//	secret ──synced_to──► agent_vault
//
// There is one graph per scope, in the scope's folder:
//
//	<state-dir>/<scope's folder>/graph.json   0600, replaced whole, under write.lock
//
// Each sync makes it anew from what it learned ([Update]); a secret that was
// deleted on the server is taken out at once ([Delete]). [Load] reads the graphs
// of all scopes as one, in which equal entities are one; [Graph.Select] answers
// a [Query] and [Graph.Write] prints the answer. The file can always be made
// again: a damaged one is passed over and replaced by the next sync.
package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"infisync/source"
)

// The types of entities.
const (
	TypeService = "service"
	TypeProject = "secret_project"
	TypeSecret  = "secret"
	TypeVault   = "agent_vault"
)

// The types of relations.
const (
	BelongsTo    = "belongs_to"    // secret → secret_project that keeps it
	HostedBy     = "hosted_by"     // secret_project → service
	SyncedTo     = "synced_to"     // secret → agent_vault
	ImportedFrom = "imported_from" // secret → secret_project that an import brought it from
)

// Types returns the types of entities, and Relations those of relations, in the
// order in which they are printed; the caller owns the slices.
func Types() []string { return []string{TypeService, TypeProject, TypeVault, TypeSecret} }

// Relations returns the types of relations.
func Relations() []string { return []string{BelongsTo, HostedBy, SyncedTo, ImportedFrom} }

// An Entity is one thing the graph knows. Type and ID together are unique;
// fields that its type does not have are zero.
type Entity struct {
	Type string `json:"type"`
	ID   string `json:"id"` // a project's is the server's; a service's its URL

	Name         string   `json:"name,omitempty"`         // of a secret or a project; empty: not known
	Environments []string `json:"environments,omitempty"` // slugs of a project's environments, as far as known

	Project     string    `json:"project,omitempty"` // id of the project a secret is kept in
	Environment string    `json:"environment,omitempty"`
	Path        string    `json:"path,omitempty"`
	Version     int       `json:"version,omitempty"`    // 0: not known
	LastSynced  time.Time `json:"last_synced,omitzero"` // UTC, when a sync brought a secret's present value

	URL   string `json:"url,omitempty"`   // of a service
	Host  string `json:"host,omitempty"`  // the machine a vault is on
	Scope string `json:"scope,omitempty"` // the name of the vault's folder in the state directory
}

// A Relation leads from one entity to another; its type tells the types of both.
type Relation struct {
	Type string `json:"type"`
	From string `json:"source"` // ID
	To   string `json:"target"` // ID
}

// A Graph is entities and the relations that start at them, each sorted. The
// zero Graph is empty.
type Graph struct {
	Entities  []Entity   `json:"entities"`
	Relations []Relation `json:"relations"`

	// targets are entities that relations lead to and that are no part of the
	// answer to a query: their names are shown in its place.
	targets []Entity
}

// Label is what people call the entity: its name, URL or host.
func (e Entity) Label() string { return cmp.Or(e.Name, e.URL, e.Host, e.ID) }

// key identifies an entity.
type key struct{ typ, id string }

func (e Entity) key() key { return key{e.Type, e.ID} }

// fromKey identifies the entity that r starts at.
func (r Relation) fromKey() key {
	if r.Type == HostedBy {
		return key{TypeProject, r.From}
	}
	return key{TypeSecret, r.From}
}

// toKey identifies the entity that r leads to.
func (r Relation) toKey() key {
	switch r.Type {
	case HostedBy:
		return key{TypeService, r.To}
	case SyncedTo:
		return key{TypeVault, r.To}
	}
	return key{TypeProject, r.To}
}

// secretID is "project:environment:/path:NAME"; in a part that has a colon or a
// per cent sign of its own, these are written as in a URL.
func secretID(place source.Place, name string) string {
	escape := strings.NewReplacer("%", "%25", ":", "%3A").Replace
	return escape(place.Project) + ":" + escape(place.Environment) + ":" + escape(place.Path) + ":" + escape(name)
}

// sort puts entities and relations into their order and drops repeated ones.
func (g *Graph) sort() {
	rank := func(all []string, typ string) int { return slices.Index(all, typ) }
	slices.SortStableFunc(g.Entities, func(a, b Entity) int {
		return cmp.Or(cmp.Compare(rank(Types(), a.Type), rank(Types(), b.Type)), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(g.Relations, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(rank(Relations(), a.Type), rank(Relations(), b.Type)),
			strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	g.Relations = slices.Compact(g.Relations)
}
