package infisicaltest

import (
	"fmt"
	"slices"
	"strings"
)

// Routes that the name of a secret can run into.

// backfillReferences finds references anew; here they are never stored apart.
func (c *call) backfillReferences() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	id := f.text("projectId")
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	if _, err := c.enter(id); err != nil {
		return nil, err
	}
	return object{"message": "Successfully backfilled secret references"}, nil
}

// moveSecrets moves secrets to another folder of their project, by their ids. Of
// a name that is there already the value is changed, if the caller says so.
func (c *call) moveSecrets() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	projectID := jsTrim(f.text("projectId"))
	fromEnvironment, fromPath := jsTrim(f.text("sourceEnvironment")), cleanPath(f.textOr("sourceSecretPath", "/"))
	toEnvironment, toPath := jsTrim(f.text("destinationEnvironment")), cleanPath(f.textOr("destinationSecretPath", "/"))
	ids := f.list("secretIds")
	if !f.has("secretIds") {
		f.wrongType("secretIds", "array", nil, false)
	}
	overwrite := f.nullableBool("shouldOverwrite")
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	from, err := c.aim("MoveSecrets", projectID, fromEnvironment, fromPath)
	if err != nil {
		return nil, err
	}
	to, err := c.aim("MoveSecrets", projectID, toEnvironment, toPath)
	if err != nil {
		return nil, err
	}
	for _, t := range []target{from, to} {
		if err := c.allowed(t.folder, writes, "edit"); err != nil {
			return nil, err
		}
	}
	moving := slices.DeleteFunc(slices.Clone(from.folder.secrets), func(sec *secret) bool {
		return sec.owner != "" || !slices.Contains(ids, any(sec.id))
	})
	if len(moving) < len(ids) {
		return nil, notFound("NotFound", "One or more secrets not found")
	}
	if taken := c.taken(to.folder, moving); len(taken) > 0 && (overwrite == nil || !*overwrite) {
		return nil, badRequest(fmt.Sprintf("Failed to move secrets. The following secrets already exist in the destination: %s", strings.Join(taken, ", ")))
	}
	for _, sec := range moving {
		c.s.move(sec, to.folder)
	}
	return object{"isSourceUpdated": true, "isDestinationUpdated": true}, nil
}

// taken returns the names of secrets that a folder has already.
func (c *call) taken(at *folder, secrets []*secret) []string {
	var names []string
	for _, sec := range secrets {
		if at.secret(sec.name, "") != nil {
			names = append(names, sec.name)
		}
	}
	return names
}

func (s *Server) move(sec *secret, to *folder) {
	sec.folder.remove(sec.name, "")
	s.publish(secretDeleted, sec.folder, sec.name)
	if there := to.secret(sec.name, ""); there != nil {
		there.value = sec.value
		s.touch(there)
		s.publish(secretUpdated, to, sec.name)
		return
	}
	s.addSecret(to, sec.name, sec.value, "").comment = sec.comment
	s.publish(secretCreated, to, sec.name)
}
