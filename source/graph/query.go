package graph

import (
	"path"
	"slices"
	"strings"

	"infisync/source"
)

// A Query asks for entities. Every field that is not empty narrows the answer.
type Query struct {
	Type     string // of the entities, one of Types
	Relation string // entities at which such a relation starts, one of Relations
	Target   string // entities with a relation to the one of this ID, or the project of this name
	Name     string // a glob as in path.Match for the entity's Label
}

// Select returns the entities that q asks for, with the relations that start at
// them and that q does not exclude. An error has source.CodeUsage: a type or a
// relation there is not, or a malformed glob.
func (g Graph) Select(q Query) (Graph, error) {
	if err := q.check(); err != nil {
		return Graph{}, err
	}
	entities := make(map[key]Entity, len(g.Entities))
	for _, e := range slices.Concat(g.targets, g.Entities) {
		entities[e.key()] = e
	}
	starts := make(map[key][]Relation) // entity → the relations from it that q asks for
	for _, r := range g.Relations {
		if q.Relation != "" && q.Relation != r.Type {
			continue
		}
		if q.Target != "" && q.Target != r.To && q.Target != entities[r.toKey()].Name {
			continue
		}
		starts[r.fromKey()] = append(starts[r.fromKey()], r)
	}
	answer := Graph{Entities: []Entity{}, Relations: []Relation{}}
	chosen := make(map[key]bool)
	for _, e := range g.Entities {
		relations := starts[e.key()]
		if q.Type != "" && q.Type != e.Type || (q.Relation != "" || q.Target != "") && len(relations) == 0 {
			continue
		}
		if fits, _ := path.Match(q.Name, e.Label()); q.Name != "" && !fits {
			continue
		}
		chosen[e.key()] = true
		answer.Entities = append(answer.Entities, e)
		answer.Relations = append(answer.Relations, relations...)
	}
	for _, r := range answer.Relations {
		if to := r.toKey(); !chosen[to] {
			chosen[to] = true
			if e, ok := entities[to]; ok {
				answer.targets = append(answer.targets, e)
			}
		}
	}
	answer.sort()
	return answer, nil
}

func (q Query) check() error {
	if q.Type != "" && !slices.Contains(Types(), q.Type) {
		return source.Errorf(source.CodeUsage, "there is no type %q: use one of %s", q.Type, strings.Join(Types(), ", "))
	}
	if q.Relation != "" && !slices.Contains(Relations(), q.Relation) {
		return source.Errorf(source.CodeUsage, "there is no relation %q: use one of %s", q.Relation, strings.Join(Relations(), ", "))
	}
	if _, err := path.Match(q.Name, ""); err != nil {
		return source.Errorf(source.CodeUsage, "glob %q: %w", q.Name, err)
	}
	return nil
}
