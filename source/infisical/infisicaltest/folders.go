package infisicaltest

import (
	"net/http"
	"strings"
)

func shownFolder(f *folder) object {
	var parent any
	if f.parent != nil {
		parent = f.parent.id
	}
	return object{
		"id": f.id, "name": f.name, "version": 1, "createdAt": timestamp(f.created), "updatedAt": timestamp(f.created),
		"envId": f.env.id, "parentId": parent, "isReserved": false,
	}
}

// createFolder makes a folder and what is missing above it. One that exists is
// answered like a new one.
func (c *call) createFolder() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	projectID, environment := f.text("workspaceId"), f.text("environment")
	name, path := jsTrim(f.text("name")), cleanPath(f.textOr("path", f.textOr("directory", "/")))
	if !c.s.traits.oldNames && !plainName(name) {
		f.reject("name", "Folder name can only contain letters, numbers, dashes, and underscores")
	}
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	p, err := c.enter(projectID)
	if err != nil {
		return nil, err
	}
	env := p.environment(environment)
	if env == nil {
		return nil, notFound("Create folder", "Environment not found")
	}
	if strings.ContainsRune(name, ' ') {
		return nil, somethingWentWrong("Find by secret path")
	}
	if c.level(env.root) < writes {
		return nil, c.denied("create", "secret-folders")
	}
	parent := c.s.makeFolder(env, path)
	made := parent.child(name)
	if made == nil {
		made = c.s.newFolder(env, parent, name)
	}
	return object{"folder": shownFolder(made)}, nil
}

func plainName(name string) bool {
	for _, r := range name {
		if !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return false
		}
	}
	return name != ""
}

func (c *call) listFolders() (any, error) {
	q := c.query()
	projectID, environment := q.text("workspaceId"), q.text("environment")
	path := cleanPath(q.textOr("path", q.textOr("directory", "/")))
	if err := q.check(c.s); err != nil {
		return nil, err
	}
	p, err := c.enter(projectID)
	if err != nil {
		return nil, err
	}
	if p.environment(environment) == nil {
		return nil, &apiError{status: http.StatusNotFound, name: "Get folders", message: "Environment not found"}
	}
	folders := []object{}
	if at := p.folder(environment, path); at != nil {
		for _, child := range at.children {
			folders = append(folders, shownFolder(child))
		}
	}
	return object{"folders": folders}, nil
}
