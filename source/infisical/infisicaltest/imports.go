package infisicaltest

import (
	"cmp"
	"maps"
	"slices"
)

// maxImportDepth is how far imports of imports are followed.
const maxImportDepth = 10

// A resolved import is one entry of a list's imports.
type resolved struct {
	of      *secretImport
	folder  *folder   // whose id the entry carries; nil: none
	secrets []*secret // direct ones before those it imports itself
}

// resolve finds what folders import, in the order of the imports' positions.
// Imports that the actor may not read are left out.
func (c *call) resolve(r reading, folders []*folder) []resolved {
	var imports []*secretImport
	for _, f := range folders {
		imports = append(imports, f.imports...)
	}
	slices.SortStableFunc(imports, func(a, b *secretImport) int { return cmp.Compare(a.position, b.position) })
	return c.resolveLevel(r, imports, make(map[string]bool), 0)
}

// resolveLevel resolves imports and then those of the folders they name. A folder
// that was met on the way here or on the same level is not entered again: so
// cycles end.
func (c *call) resolveLevel(r reading, imports []*secretImport, met map[string]bool, depth int) []resolved {
	key := func(imp *secretImport) string { return imp.env.slug + " " + imp.path }
	imports = slices.DeleteFunc(slices.Clone(imports), func(imp *secretImport) bool {
		f := imp.folder()
		return met[key(imp)] || f != nil && c.readable(f, r.view) != nil
	})
	for _, imp := range imports {
		met[key(imp)] = true
	}
	folders := c.importedFolders(imports)
	entries := make([]resolved, len(imports))
	for i, imp := range imports {
		entries[i] = resolved{of: imp, folder: folders[i]}
		if f := folders[i]; f != nil {
			entries[i].secrets = slices.DeleteFunc(slices.Clone(f.secrets), func(sec *secret) bool { return sec.owner != "" })
		}
	}
	if depth == maxImportDepth {
		return entries
	}
	for i, imp := range imports {
		if f := imp.folder(); f != nil {
			entries[i].add(c.nested(r, f, met, depth+1), c.s.traits.oldImports || r.expand)
		}
	}
	return entries
}

// importedFolders returns the folder that each entry shows. In 2024 missing
// folders were dropped from this list but not from the imports beside it, so that
// the entries behind a missing one show what belongs to their successor.
func (c *call) importedFolders(imports []*secretImport) []*folder {
	folders := make([]*folder, len(imports))
	next := 0
	for i, imp := range imports {
		f := imp.folder()
		if !c.s.traits.oldImports {
			folders[i] = f
		} else if f != nil {
			folders[next] = f
			next++
		}
	}
	return folders
}

// nested returns what a folder imports itself. In 2024 only its first import
// came through.
func (c *call) nested(r reading, f *folder, met map[string]bool, depth int) []*secret {
	entries := c.resolveLevel(r, f.imports, maps.Clone(met), depth)
	if c.s.traits.oldImports && len(entries) > 1 {
		entries = entries[:1]
	}
	var secrets []*secret
	for _, entry := range entries {
		secrets = append(secrets, entry.secrets...)
	}
	return secrets
}

// add appends nested secrets. A name twice in one entry is dropped by some
// versions, and by the others only when they expand references.
func (e *resolved) add(nested []*secret, unique bool) {
	e.secrets = append(e.secrets, nested...)
	if !unique {
		return
	}
	met := make(map[string]bool)
	e.secrets = slices.DeleteFunc(e.secrets, func(sec *secret) bool {
		again := met[sec.name]
		met[sec.name] = true
		return again
	})
}

// folder returns the folder that is imported, nil when it is missing.
func (i *secretImport) folder() *folder { return i.env.project.folder(i.env.slug, i.path) }

// listImported is the "imports" of a list.
func (c *call) listImported(r reading, folders []*folder, x *expander) []object {
	entries := []object{}
	for _, e := range c.resolve(r, folders) {
		secrets := make([]object, len(e.secrets))
		for i, sec := range e.secrets {
			secrets[i] = c.shownImported(sec, view{value: x.expand(sec), hidden: !r.view, flag: true})
			if c.s.traits.oldImports && sec.folder == e.folder {
				secrets[i]["environment"] = e.of.env.slug
			}
		}
		entry := object{"secretPath": e.of.path, "environment": e.of.env.slug, "secrets": secrets}
		if e.folder != nil {
			entry["folderId"] = e.folder.id
		}
		entries = append(entries, entry)
	}
	return entries
}

// shownImport is an import as its own routes have it.
func shownImport(imp *secretImport) object {
	return object{
		"id": imp.id, "version": 1, "importPath": imp.path, "position": imp.position,
		"createdAt": timestamp(imp.created), "updatedAt": timestamp(imp.created), "folderId": imp.from.id,
		"isReplication": false, "isReplicationSuccess": nil, "replicationStatus": nil, "lastReplicated": nil,
		"isReserved": false,
		"importEnv":  object{"name": imp.env.name, "slug": imp.env.slug, "id": imp.env.id},
	}
}

// createImport makes a folder import another one, which need not exist.
func (c *call) createImport() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	projectID, environment, path := f.text("workspaceId"), f.text("environment"), cleanPath(f.textOr("path", "/"))
	from := f.object("import")
	fromEnvironment, fromPath := from.text("environment"), cleanPath(from.text("path"))
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	p, err := c.enter(projectID)
	if err != nil {
		return nil, err
	}
	to, env := p.folder(environment, path), p.environment(fromEnvironment)
	if to == nil {
		return nil, c.missingFolder("Create import", environment, path)
	}
	if c.level(to) < writes {
		return nil, c.denied("create", "secret-imports")
	}
	if env == nil {
		return nil, notFound("Create import", "The requested entity is not found")
	}
	imp := c.s.addImport(to, env, fromPath)
	c.s.publish(importsChanged, to, "")
	return object{"message": "Successfully created secret import", "secretImport": shownImport(imp)}, nil
}

func (c *call) listImports() (any, error) {
	q := c.query()
	projectID, environment, path := q.text("workspaceId"), q.text("environment"), cleanPath(q.textOr("path", "/"))
	if err := q.check(c.s); err != nil {
		return nil, err
	}
	p, err := c.enter(projectID)
	if err != nil {
		return nil, err
	}
	at := p.folder(environment, path)
	if at == nil {
		return nil, c.missingFolder("Get imports", environment, path)
	}
	imports := make([]object, len(at.imports))
	for i, imp := range at.imports {
		imports[i] = shownImport(imp)
	}
	return object{"message": "Successfully fetched secret imports", "secretImports": imports}, nil
}
