package infisicaltest

import (
	"fmt"
	"strings"
)

// create makes one secret.
func (c *call) create() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	name := c.secretName(f, "secretName", c.name)
	projectID, environment, path := c.place(f)
	ch := c.changes(f, true)
	personal := f.oneOf("type", "shared", "personal") == "personal"
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	t, err := c.aim("Create secret", projectID, environment, path)
	if err != nil {
		return nil, err
	}
	if err := c.checkNew(t, name, personal, ch); err != nil {
		return nil, err
	}
	if t.folder.approval {
		return c.approval(t), nil
	}
	owner := ""
	if personal {
		owner = c.who.owner()
	}
	sec := c.s.addSecret(t.folder, name, "", owner)
	ch.apply(sec)
	if !personal {
		c.s.publish(secretCreated, t.folder, name)
	}
	// The old server keeps its secrets in JavaScript objects: these two it stores
	// and then falls over.
	if c.s.traits.oldNames && (name == "constructor" || name == "__proto__") {
		return nil, internal()
	}
	if c.s.traits.created201 {
		c.success = 201
	}
	return object{"secret": c.shown(sec, view{value: sec.value, path: !c.s.traits.oldSecrets})}, nil
}

// checkNew makes the checks of a creation, in the server's order.
func (c *call) checkNew(t target, name string, personal bool, ch changes) error {
	if err := c.checkCase(t.project, name); err != nil {
		return err
	}
	if personal && c.who.owner() == "" {
		return badRequest("Must be user to create personal secret")
	}
	if strings.ContainsRune(name, 0) {
		return somethingWentWrong("Find one")
	}
	shared := t.folder.secret(name, "")
	if personal && shared == nil {
		return badRequest("Failed to create personal secret override for no corresponding shared secret")
	}
	if personal && t.folder.secret(name, c.who.owner()) != nil || !personal && shared != nil {
		return c.conflict(c.exists())
	}
	if err := c.allowed(t.folder, writes, "create"); err != nil {
		return err
	}
	return c.checkContent(t.folder, ch)
}

func (c *call) exists() string {
	if c.s.traits.oldMessages {
		return "Secret already exist"
	}
	return "Secret already exists"
}

// update changes one secret.
func (c *call) update() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	name := jsTrim(c.name)
	projectID, environment, path := c.place(f)
	ch := c.changes(f, c.s.traits.valueRequired)
	if f.has("newSecretName") {
		newName := c.secretName(f, "newSecretName", f.text("newSecretName"))
		ch.newName = &newName
	}
	personal := f.oneOf("type", "shared", "personal") == "personal"
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	t, err := c.aim("UpdateSecret", projectID, environment, path)
	if err != nil {
		return nil, err
	}
	sec, err := c.existing(t, name, personal, "edit")
	if err != nil {
		return nil, err
	}
	if err := c.checkRename(t, sec, ch); err != nil {
		return nil, err
	}
	if err := c.checkContent(t.folder, ch); err != nil {
		return nil, err
	}
	if t.folder.approval {
		return c.approval(t), nil
	}
	ch.apply(sec)
	c.s.touch(sec)
	if !personal {
		c.s.publish(secretUpdated, t.folder, sec.name)
	}
	return object{"secret": c.updated(sec, ch)}, nil
}

// existing finds the row that a write changes. personal rows are those of the
// actor.
func (c *call) existing(t target, name string, personal bool, action string) (*secret, error) {
	if err := c.allowed(t.folder, writes, action); err != nil {
		return nil, err
	}
	owner := ""
	if personal {
		if owner = c.who.owner(); owner == "" {
			return nil, badRequest("Must be user to " + action + " personal secret")
		}
	}
	if sec := t.folder.secret(name, owner); sec != nil {
		return sec, nil
	}
	if c.s.traits.oldMessages || action == "delete" {
		return nil, notFound("NotFound", "Secret not found")
	}
	return nil, notFound("UpdateSecret", fmt.Sprintf("Secret with name %s not found", name))
}

func (c *call) checkRename(t target, sec *secret, ch changes) error {
	if ch.newName == nil || *ch.newName == sec.name {
		return nil
	}
	if err := c.checkCase(t.project, *ch.newName); err != nil {
		return err
	}
	if t.folder.secret(*ch.newName, sec.owner) == nil {
		return nil
	}
	if c.s.traits.oldMessages {
		return badRequest("Secret with the new name already exist")
	}
	return badRequest("Secret with the new name already exists")
}

// updated is the answer to an update. It echoes what was sent: a value or comment
// that was not sent is empty in it, whatever is stored.
func (c *call) updated(sec *secret, ch changes) object {
	v := view{path: !c.s.traits.oldSecrets, flag: true, hidden: c.level(sec.folder) < seesValues}
	if ch.value != nil {
		v.value = sec.value
	}
	out := c.shown(sec, v)
	if ch.comment == nil {
		out["secretComment"] = ""
	}
	return out
}

// delete removes one secret.
func (c *call) delete() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	projectID, environment, path := c.place(f)
	personal := f.oneOf("type", "shared", "personal") == "personal"
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	t, err := c.aim("Delete secret", projectID, environment, path)
	if err != nil {
		return nil, err
	}
	sec, err := c.existing(t, c.name, personal, "delete")
	if err != nil {
		return nil, err
	}
	if t.folder.approval {
		return c.approval(t), nil
	}
	t.folder.remove(sec.name, sec.owner)
	if !personal {
		c.s.publish(secretDeleted, t.folder, sec.name)
	}
	return object{"secret": c.shown(sec, view{value: sec.value, path: !c.s.traits.oldSecrets, flag: true})}, nil
}
