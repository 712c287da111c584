package infisicaltest

import (
	"fmt"
	"slices"
	"strings"
)

// A batch is all or nothing: everything is checked before anything is changed.

// An item is one secret of a batch.
type item struct {
	name     string
	changes  changes
	personal bool
	at       target
	row      *secret // nil: does not exist
}

func names(items []item) string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = it.name
	}
	return strings.Join(list, ",")
}

// batch reads what the three have in common; read reads the rest of one item.
func (c *call) batch(operation string, read func(*form) item) ([]item, *form, error) {
	f, err := c.form()
	if err != nil {
		return nil, nil, err
	}
	projectID, environment, path := c.place(f)
	var items []item
	var paths []string
	for _, entry := range f.items("secrets") {
		items = append(items, read(entry))
		paths = append(paths, cleanPath(entry.textOr("secretPath", path)))
	}
	if err := f.check(c.s); err != nil {
		return nil, nil, err
	}
	for i := range items {
		if items[i].at, err = c.aim(operation, projectID, environment, paths[i]); err != nil {
			return nil, nil, err
		}
		owner := ""
		if items[i].personal {
			owner = c.who.owner()
		}
		items[i].row = items[i].at.folder.secret(items[i].name, owner)
	}
	return items, f, nil
}

// createBatch makes secrets, none of which may exist.
func (c *call) createBatch() (any, error) {
	items, _, err := c.batch("Create secret", func(f *form) item {
		return item{name: c.secretName(f, "secretKey", f.text("secretKey")), changes: c.changes(f, true)}
	})
	if err != nil {
		return nil, err
	}
	existing := slices.DeleteFunc(slices.Clone(items), func(it item) bool { return it.row == nil })
	if len(existing) > 0 {
		return nil, c.conflict(c.exists() + ": " + names(existing))
	}
	if err := c.checkItems(items, "create"); err != nil {
		return nil, err
	}
	if awaits(items) {
		return c.approval(items[0].at), nil
	}
	if c.s.traits.created201 {
		c.success = 201
	}
	return c.store(items), nil
}

// updateBatch changes secrets. The mode says what becomes of those that do not
// exist.
func (c *call) updateBatch() (any, error) {
	items, f, err := c.batch("UpdateSecret", func(f *form) item {
		it := item{name: jsTrim(f.text("secretKey")), changes: c.changes(f, false)}
		if f.has("newSecretName") {
			newName := c.secretName(f, "newSecretName", f.text("newSecretName"))
			it.changes.newName = &newName
		}
		return it
	})
	if err != nil {
		return nil, err
	}
	mode := "failOnNotFound"
	if !c.s.traits.oldMessages {
		mode = f.oneOf("mode", "failOnNotFound", "upsert", "ignore")
	}
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(items), func(it item) bool { return it.row != nil })
	switch {
	case mode == "failOnNotFound" && len(missing) > 0:
		return nil, notFound("NotFound", "Secret does not exist: "+names(missing))
	case mode == "ignore":
		items = slices.DeleteFunc(items, func(it item) bool { return it.row == nil })
	case mode == "upsert":
		for _, it := range missing {
			c.secretName(f, "secretKey", it.name)
		}
		if err := f.check(c.s); err != nil {
			return nil, err
		}
	}
	if err := c.checkItems(items, "edit"); err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.row != nil {
			if err := c.checkRename(it.at, it.row, it.changes); err != nil {
				return nil, err
			}
		}
	}
	if awaits(items) {
		return c.approval(items[0].at), nil
	}
	return c.store(items), nil
}

// deleteBatch removes secrets, all of which must exist.
func (c *call) deleteBatch() (any, error) {
	items, _, err := c.batch("Delete secret", func(f *form) item {
		return item{name: f.text("secretKey"), personal: f.oneOf("type", "shared", "personal") == "personal"}
	})
	if err != nil {
		return nil, err
	}
	if err := c.checkItems(items, "delete"); err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(items), func(it item) bool { return it.row != nil })
	if len(missing) > 0 {
		return nil, notFound("NotFound", fmt.Sprintf("One or more secrets does not exist: %s", names(missing)))
	}
	if awaits(items) {
		return c.approval(items[0].at), nil
	}
	shown := make([]object, len(items))
	for i, it := range items {
		shown[i] = c.shown(it.row, view{value: it.row.value, path: !c.s.traits.oldSecrets, flag: true})
		it.at.folder.remove(it.row.name, it.row.owner)
		c.s.publish(secretDeleted, it.at.folder, it.name)
	}
	return object{"secrets": shown}, nil
}

// checkItems makes the checks of each item that do not depend on whether it
// exists.
func (c *call) checkItems(items []item, action string) error {
	for _, it := range items {
		if err := c.allowed(it.at.folder, writes, action); err != nil {
			return err
		}
		if it.personal && c.who.owner() == "" {
			return badRequest("Must be user to " + action + " personal secret")
		}
		if it.row == nil && action != "delete" {
			if err := c.checkCase(it.at.project, it.name); err != nil {
				return err
			}
		}
		if err := c.checkContent(it.at.folder, it.changes); err != nil {
			return err
		}
	}
	return nil
}

func awaits(items []item) bool {
	return slices.ContainsFunc(items, func(it item) bool { return it.at.folder.approval })
}

// store carries out a checked batch. What exists is changed, the rest made; both
// are announced as the batch's own kind of write.
func (c *call) store(items []item) object {
	shown := make([]object, len(items))
	for i, it := range items {
		sec, made := it.row, it.row == nil
		if made {
			sec = c.s.addSecret(it.at.folder, it.name, "", "")
		}
		it.changes.apply(sec)
		if !made {
			c.s.touch(sec)
		}
		kind := secretUpdated
		if c.req.Method == "POST" {
			kind = secretCreated
		}
		c.s.publish(kind, it.at.folder, sec.name)
		shown[i] = c.shown(sec, view{value: sec.value, path: !c.s.traits.oldSecrets, flag: c.req.Method == "PATCH"})
	}
	return object{"secrets": shown}
}
