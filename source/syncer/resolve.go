package syncer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
)

// settled tells whether the places are known without asking the server.
func settled(places []source.Place, allProjects bool) bool {
	return len(places) > 0 && !allProjects &&
		!slices.ContainsFunc(places, func(p source.Place) bool { return p.Project == "" })
}

// resolve fills in what the user left open: the project when the identity sees
// just one, or every project. It asks the server only when it must.
func (s *Syncer) resolve(ctx context.Context, session *infisical.Session) error {
	wanted := s.opt.Known.Places
	switch {
	case s.places != nil:
		return nil
	case settled(wanted, s.opt.AllProjects):
		s.places = wanted
		return nil
	case len(wanted) == 0:
		return s.noEnvironment(ctx, session)
	}
	projects, err := session.Projects(ctx)
	if err != nil {
		if source.CodeOf(err) == source.CodeAccessDenied {
			return source.Errorf(source.CodeProjectNotFound, "this server does not let the identity list its projects: name one with --project: %w", err)
		}
		return fmt.Errorf("looking up the project: %w", err)
	}
	s.projects = projects
	if len(projects) == 0 {
		return source.Errorf(source.CodeProjectNotFound, "the identity is a member of no project")
	}
	if s.opt.AllProjects {
		s.places, err = s.inAll(wanted, projects)
		return err
	}
	if len(projects) > 1 {
		return source.Errorf(source.CodeSeveralProjects, "the identity can access several projects: %s", nameProjects(projects))
	}
	places := slices.Clone(wanted)
	for i := range places {
		if places[i].Project == "" {
			places[i].Project = projects[0].ID
		}
	}
	s.places = places
	return nil
}

// inAll puts each wanted place into every project that has its environment.
func (s *Syncer) inAll(wanted []source.Place, projects []infisical.Project) ([]source.Place, error) {
	projects = slices.Clone(projects)
	slices.SortFunc(projects, func(a, b infisical.Project) int { return strings.Compare(a.ID, b.ID) })
	var places []source.Place
	for _, want := range wanted {
		named := want.Project // by a --from: it stays that one
		if named != "" && !slices.ContainsFunc(projects, func(p infisical.Project) bool { return p.ID == named }) {
			return nil, source.Errorf(source.CodeProjectNotFound, "the identity can access no project %q", named)
		}
		for _, project := range projects {
			if named != "" && named != project.ID {
				continue
			}
			if !slices.Contains(slugs(project), want.Environment) {
				s.opt.Log.Info(fmt.Sprintf("project %s (%s) has no environment %q: left out", project.Name, project.ID, want.Environment))
				continue
			}
			want.Project = project.ID
			places = append(places, want)
		}
	}
	if len(places) == 0 {
		return nil, source.Errorf(source.CodePlaceNotFound, "no project that the identity can access has the environment %q", wanted[0].Environment)
	}
	return places, nil
}

// noEnvironment is the error for an environment that was not named: it lists
// those there are, if the server tells.
func (s *Syncer) noEnvironment(ctx context.Context, session *infisical.Session) error {
	projects, err := session.Projects(ctx)
	if err != nil || len(projects) == 0 {
		return source.Errorf(source.CodeNoEnvironment, "no environment is set")
	}
	var lines []string
	for _, p := range projects {
		lines = append(lines, fmt.Sprintf("%s has %s", p.Name, source.Enumerate(slugs(p), ", ")))
	}
	return source.Errorf(source.CodeNoEnvironment, "no environment is set: %s", source.Enumerate(lines, "; "))
}

// explainMissing makes an error about a place say whether it is the environment
// that is missing, since servers answer alike for folder and environment.
func (s *Syncer) explainMissing(ctx context.Context, session *infisical.Session, place source.Place, err error) error {
	code := source.CodeOf(err)
	if code != source.CodePlaceNotFound && code != source.CodeNothingFound {
		return err
	}
	project, lookup := session.Project(ctx, place.Project)
	if lookup != nil || slices.Contains(slugs(project), place.Environment) || len(project.Environments) == 0 {
		return err
	}
	return source.Errorf(source.CodePlaceNotFound, "project %s has no environment %q: it has %s",
		place.Project, place.Environment, source.Enumerate(slugs(project), ", "))
}

func nameProjects(projects []infisical.Project) string {
	names := make([]string, len(projects))
	for i, p := range projects {
		names[i] = fmt.Sprintf("%s (%s)", p.ID, p.Name)
	}
	return source.Enumerate(names, ", ")
}

func slugs(p infisical.Project) []string {
	all := make([]string, len(p.Environments))
	for i, environment := range p.Environments {
		all[i] = environment.Slug
	}
	return all
}
