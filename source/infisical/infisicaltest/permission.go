package infisicaltest

import (
	"fmt"
	"slices"
	"strings"

	"infisync/source"
)

// A level is how much an actor may do in a folder. Each includes those before.
type level uint8

const (
	seesNothing level = iota
	seesNames
	seesValues
	writes
)

// enter finds the project of a request and checks that the actor is in it.
func (c *call) enter(id string) (*project, error) {
	p := c.s.findProject(id)
	if p == nil {
		if c.s.traits.oldMessages {
			return nil, notFound("NotFound", "Project not found during bot lookup. Are you sure you are using the correct project ID?")
		}
		return nil, notFound("NotFound", fmt.Sprintf("Project with ID '%s' not found", id))
	}
	if !c.member(p) {
		return nil, c.notMember()
	}
	if p.TooOld {
		return nil, c.tooOld()
	}
	return p, nil
}

func (c *call) tooOld() *apiError {
	const message = "Bot not found. Please ask admin user to login"
	if c.s.traits.oldMessages {
		return notFound("NotFound", message)
	}
	return notFound("bot_not_found_error", message)
}

func (c *call) notMember() *apiError {
	if c.s.traits.oldMessages {
		return forbidden("Identity is not a member of the specified project", "You are not allowed to access this resource")
	}
	return forbidden("ForbiddenError", "You are not a member of this project")
}

func (c *call) member(p *project) bool {
	in := func(projects []string) bool { return len(projects) == 0 || slices.Contains(projects, p.ID) }
	switch {
	case c.who.identity != nil:
		return in(c.who.identity.Projects)
	case c.who.user != nil:
		return in(c.who.user.Projects)
	case c.who.service != nil:
		return c.who.service.Project == p.ID
	}
	return false
}

// level tells what the actor may do in a folder.
func (c *call) level(f *folder) level {
	switch {
	case !c.member(f.env.project):
		return seesNothing
	case c.who.user != nil:
		return writes
	case c.who.service != nil:
		token := c.who.service
		if !within(f, source.Place{Environment: token.Environment, Path: token.Path}) {
			return seesNothing
		}
		if token.Write {
			return writes
		}
		return seesValues
	}
	identity := c.who.identity
	may := identity.Role.level()
	if slices.ContainsFunc(identity.Hide, func(p source.Place) bool { return within(f, p) }) {
		may = min(may, seesNames)
	}
	if slices.ContainsFunc(identity.Deny, func(p source.Place) bool { return within(f, p) }) {
		may = seesNothing
	}
	return may
}

func (r Role) level() level {
	switch r {
	case Admin, "":
		return writes
	case Viewer:
		return seesValues
	case Describe:
		return seesNames
	}
	return seesNothing
}

// within tells whether a folder is a place or below it. What the place leaves
// empty fits any.
func within(f *folder, p source.Place) bool {
	if p.Project != "" && p.Project != f.env.project.ID || p.Environment != "" && p.Environment != f.env.slug {
		return false
	}
	top := source.CleanPath(p.Path)
	return top == "/" || f.path() == top || strings.HasPrefix(f.path(), top+"/")
}

// denied is the answer to an action that the actor's role lacks.
func (c *call) denied(action, subject string) *apiError {
	err := forbidden("PermissionDenied", fmt.Sprintf("You are not allowed to %s on %s", action, subject))
	if !c.s.traits.oldMessages {
		err.details = []object{{"action": action, "subject": subject, "inverted": false}}
	}
	return err
}

// allowed checks that the actor may do what an action needs in a folder.
func (c *call) allowed(f *folder, need level, action string) error {
	if c.level(f) < need {
		return c.denied(action, "secrets")
	}
	return nil
}
