package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
)

// project checks that the wanted projects are visible, or that it is clear which
// one is meant.
func (c *checkup) project(ctx context.Context) Item {
	named := c.namedProjects()
	if c.projectsErr != nil && source.CodeOf(c.projectsErr) != source.CodeAccessDenied {
		return failed(c.projectsErr)
	}
	if c.projectsErr != nil {
		return c.readProjects(ctx, named)
	}
	for _, id := range named {
		if !slices.ContainsFunc(c.projects, func(p infisical.Project) bool { return p.ID == id }) {
			return failure(source.CodeProjectNotFound, "the identity cannot access project %q; it can access %s", id, c.nameProjects())
		}
	}
	switch open := c.leftOpen(); {
	case len(c.projects) == 0:
		return failure(source.CodeProjectNotFound, "the identity is a member of no project")
	case open && len(c.projects) > 1 && !c.Settings.AllProjects:
		return failure(source.CodeSeveralProjects, "the identity can access %s", c.nameProjects())
	}
	return ok("the identity can access %s", c.nameProjects())
}

// readProjects reads the named projects one by one: servers of 2024 let no
// identity list them, and no server a service token.
func (c *checkup) readProjects(ctx context.Context, named []string) Item {
	if len(named) == 0 || c.leftOpen() {
		return failure(source.CodeProjectNotFound, "this server does not let the identity list its projects: name one with --project")
	}
	for _, id := range named {
		project, err := c.session.Project(ctx, id)
		if err != nil {
			return failed(err)
		}
		c.projects = append(c.projects, project)
	}
	return ok("the identity may read %s; this server does not let it list all", c.nameProjects())
}

// namedProjects are the ids that the settings name.
func (c *checkup) namedProjects() []string {
	var ids []string
	for _, place := range c.wanted {
		if place.Project != "" && !slices.Contains(ids, place.Project) {
			ids = append(ids, place.Project)
		}
	}
	if len(c.wanted) == 0 && c.Settings.Project != "" {
		ids = append(ids, c.Settings.Project)
	}
	return ids
}

// leftOpen tells whether a project is to be found out.
func (c *checkup) leftOpen() bool {
	if len(c.wanted) == 0 {
		return c.Settings.Project == ""
	}
	return c.Settings.AllProjects || slices.ContainsFunc(c.wanted, func(p source.Place) bool { return p.Project == "" })
}

func (c *checkup) nameProjects() string {
	if len(c.projects) == 0 {
		return "none"
	}
	names := make([]string, len(c.projects))
	for i, p := range c.projects {
		names[i] = fmt.Sprintf("%q (%s)", p.Name, p.ID)
	}
	return some(names)
}

// place checks that environments and folders exist.
func (c *checkup) place(ctx context.Context) Item {
	switch {
	case c.wantedErr != nil:
		return failed(c.wantedErr)
	case len(c.wanted) == 0:
		var lines []string
		for _, p := range c.projects {
			lines = append(lines, fmt.Sprintf("%q has %s", p.Name, slugs(p)))
		}
		return failure(source.CodeNoEnvironment, "no environment is set: project %s", strings.Join(lines, "; "))
	}
	if err := c.resolve(); err != nil {
		return failed(err)
	}
	var found []string
	for _, place := range c.places {
		answer, err := c.session.List(ctx, infisical.Query{
			Place: place, Recursive: c.Settings.Recursive, Imports: c.Settings.Imports, NamesOnly: true,
		})
		switch {
		case source.CodeOf(err) == source.CodeAccessDenied:
			return skipped("the environments exist; the server does not let the identity list %s", place)
		case err != nil:
			return failed(err)
		case answer.Listing.Empty() && !c.Settings.AllowEmpty:
			return failure(source.CodeNothingFound, "%s lists nothing", place)
		}
		found = append(found, fmt.Sprintf("%s lists %d", place, source.Merge([]source.Listing{answer.Listing}).Len()))
	}
	return ok("%s", strings.Join(found, ", "))
}

// resolve gives the wanted places their projects and checks the environments.
func (c *checkup) resolve() error {
	var places []source.Place
	for _, want := range c.wanted {
		var without []string
		fits := 0
		for _, project := range c.projects {
			if want.Project != "" && want.Project != project.ID {
				continue
			}
			if !hasEnvironment(project, want.Environment) {
				without = append(without, fmt.Sprintf("project %q has %s", project.Name, slugs(project)))
				continue
			}
			place := want
			place.Project = project.ID
			places = append(places, place)
			fits++
		}
		if fits == 0 {
			return source.Errorf(source.CodePlaceNotFound, "there is no environment %q: %s", want.Environment, strings.Join(without, "; "))
		}
	}
	c.places = places
	return nil
}

// hasEnvironment is true for a project of which the server names no environment
// at all.
func hasEnvironment(p infisical.Project, slug string) bool {
	return len(p.Environments) == 0 ||
		slices.ContainsFunc(p.Environments, func(e infisical.Environment) bool { return e.Slug == slug })
}

func slugs(p infisical.Project) string {
	all := make([]string, len(p.Environments))
	for i, environment := range p.Environments {
		all[i] = environment.Slug
	}
	return strings.Join(all, ", ")
}

// permission lists with values, as a pull does.
func (c *checkup) permission(ctx context.Context) Item {
	var listings []source.Listing
	for _, place := range c.places {
		answer, err := c.session.List(ctx, infisical.Query{
			Place: place, Recursive: c.Settings.Recursive, Imports: c.Settings.Imports, Expand: c.Settings.Expand,
		})
		if err != nil {
			item := failed(err)
			item.Remedy = permissionRemedy(err)
			return item
		}
		listings = append(listings, answer.Listing)
	}
	c.set = source.Merge(listings)
	if c.Judge != nil {
		for secret := range c.set.All() {
			if code := c.Judge(secret); code != "" {
				c.judged[code] = append(c.judged[code], secret.Name)
			}
		}
	}
	return ok("the values of %s can be read", count(c.set.Len(), "secret"))
}

// permissionRemedy names the permission that is missing; empty: what the code
// says.
func permissionRemedy(err error) string {
	if source.CodeOf(err) != source.CodeAccessDenied {
		return ""
	}
	status, answered := errors.AsType[*infisical.StatusError](err)
	if answered && strings.Contains(strings.ToLower(status.Message), "failed to expand") {
		return "let the identity's role read what the ${...} references point to, too, or use --expand-references=false"
	}
	return "give the machine identity a role in the project that may read the values of secrets in this environment and folder"
}
