package graph

import (
	"cmp"
	"slices"
)

// merge makes one graph of several scopes' graphs. Entities with one type and ID
// become one: of a secret the one synced last, of a project the name that was
// learned last and the environments of all. A project's id is the server's own,
// so one that is reached at two URLs is one project hosted by two services.
func merge(files []file) Graph {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b file) int { return a.Updated.Compare(b.Updated) })
	var g Graph
	at := make(map[key]int) // entity → its index in g.Entities
	for _, f := range files {
		for _, e := range f.Entities {
			i, known := at[e.key()]
			if !known {
				at[e.key()] = len(g.Entities)
				g.Entities = append(g.Entities, e)
				continue
			}
			g.Entities[i] = mergeEntity(g.Entities[i], e)
		}
		g.Relations = append(g.Relations, f.Relations...)
	}
	g.sort()
	return g
}

// mergeEntity returns what two scopes know of one entity; newer's graph was
// written last.
func mergeEntity(older, newer Entity) Entity {
	switch newer.Type {
	case TypeSecret:
		if older.LastSynced.After(newer.LastSynced) {
			return older
		}
	case TypeProject:
		newer.Name = cmp.Or(newer.Name, older.Name)
		all := slices.Concat(older.Environments, newer.Environments)
		slices.Sort(all)
		newer.Environments = slices.Compact(all)
	}
	return newer
}
