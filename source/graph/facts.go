package graph

import (
	"maps"
	"slices"
	"time"

	"infisync/source"
)

// Facts are what one sync learned about its scope.
type Facts struct {
	Scope source.Scope // with its URL and the places that were pulled
	Host  string       // the name of this machine

	// Projects are what the server told about its projects, also those out of
	// the scope. Nil: it was not asked, and what an earlier sync knew is kept.
	Projects []Project

	Set source.Set // only names, places and versions are taken

	// At is the time of the sync. Synced tells, by name, when the present value
	// of a secret was brought; for a name not in it, that is At.
	At     time.Time
	Synced map[string]time.Time
}

// A Project is a project as the server describes it.
type Project struct {
	ID           string
	Name         string
	Environments []string // slugs
}

// build makes the graph of the facts. Of the graph before it, only what the
// facts leave open about projects is taken over.
func build(facts Facts, before Graph) Graph {
	var g Graph
	vault := Entity{
		Type: TypeVault, ID: facts.Host + ":" + facts.Scope.Folder(),
		Host: facts.Host, Scope: facts.Scope.Folder(),
	}
	g.Entities = append(g.Entities, vault)
	for secret := range facts.Set.All() {
		place := secret.Place
		synced, known := facts.Synced[secret.Name]
		if !known {
			synced = facts.At
		}
		e := Entity{
			Type: TypeSecret, ID: secretID(place, secret.Name), Name: secret.Name,
			Project: place.Project, Environment: place.Environment, Path: place.Path,
			Version: secret.Version, LastSynced: synced.UTC().Truncate(time.Second),
		}
		g.Entities = append(g.Entities, e)
		g.Relations = append(g.Relations, Relation{SyncedTo, e.ID, vault.ID})
		if place.Project != "" {
			g.Relations = append(g.Relations, Relation{BelongsTo, e.ID, place.Project})
		}
		if place.Project != "" && secret.Imported {
			g.Relations = append(g.Relations, Relation{ImportedFrom, e.ID, place.Project})
		}
	}
	projects := projectsOf(facts, before)
	g.Entities = append(g.Entities, projects...)
	if url := facts.Scope.URL; url != "" {
		g.Entities = append(g.Entities, Entity{Type: TypeService, ID: url, URL: url})
		for _, project := range projects {
			g.Relations = append(g.Relations, Relation{HostedBy, project.ID, url})
		}
	}
	g.sort()
	return g
}

// projectsOf returns the projects: those the server told, or else those known
// before, and in any case those that a place or a secret is in.
func projectsOf(facts Facts, before Graph) []Entity {
	known := make(map[string]Entity) // id → as known before
	for _, e := range before.Entities {
		if e.Type == TypeProject {
			known[e.ID] = e
		}
	}
	projects := make(map[string]Entity) // id → as it will be
	if facts.Projects == nil {
		maps.Copy(projects, known)
	}
	for _, p := range facts.Projects {
		projects[p.ID] = Entity{Type: TypeProject, ID: p.ID, Name: p.Name, Environments: slices.Clone(p.Environments)}
	}
	places := slices.Clone(facts.Scope.Places)
	for secret := range facts.Set.All() {
		places = append(places, secret.Place)
	}
	for _, place := range places {
		if place.Project == "" {
			continue
		}
		e, ok := projects[place.Project]
		if !ok {
			if e, ok = known[place.Project]; !ok {
				e = Entity{Type: TypeProject, ID: place.Project}
			}
		}
		if place.Environment != "" && !slices.Contains(e.Environments, place.Environment) {
			e.Environments = append(slices.Clip(e.Environments), place.Environment)
		}
		projects[place.Project] = e
	}
	return slices.Collect(maps.Values(projects))
}
