package syncer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"infisync/source"
	"infisync/source/infisical"
)

// Projects returns the projects that the identity sees, by name. Servers of 2024
// list them to no identity: there it is those that Options.Known names, and an
// error with source.CodeProjectNotFound when it names none. It is called instead
// of Start.
func (s *Syncer) Projects(ctx context.Context) ([]infisical.Project, error) {
	if s.opt.Client == nil {
		return nil, source.Errorf(source.CodeNothingConfigured, "no server is configured: there are no projects to list")
	}
	if err := s.openStore(); err != nil {
		return nil, err
	}
	defer s.opt.Client.Close()
	session, err := s.login(ctx, s.opt.Client)
	if err != nil {
		return nil, err
	}
	projects, err := session.Projects(ctx)
	if source.CodeOf(err) == source.CodeAccessDenied {
		projects, err = s.knownProjects(ctx, session, err)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(projects, func(a, b infisical.Project) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return projects, nil
}

// findProjects is Projects for a sync: a failure is told of, and in the watch a
// server out of reach is asked again.
func (s *Syncer) findProjects(ctx context.Context, watch bool) ([]infisical.Project, error) {
	for {
		projects, err := s.Projects(ctx)
		if err == nil || ctx.Err() != nil {
			return projects, err
		}
		said, code := s.failed(ctx, err), source.CodeOf(err)
		if !watch || source.CauseOf(code) != source.CauseOutOfReach {
			return nil, err
		}
		if said {
			s.opt.Log.Warn(fmt.Sprintf("the projects cannot be listed yet: %v", err), "code", string(code))
		}
		if err := sleep(ctx, s.wait()); err != nil {
			return nil, err
		}
	}
}

// knownProjects reads the configured projects one by one.
func (s *Syncer) knownProjects(ctx context.Context, session *infisical.Session, denied error) ([]infisical.Project, error) {
	var projects []infisical.Project
	for _, id := range s.opt.Known.Projects() {
		if id == "" {
			continue
		}
		project, err := session.Project(ctx, id)
		if err != nil {
			return nil, err
		}
		projects = append(projects, project)
	}
	if len(projects) == 0 {
		return nil, source.Errorf(source.CodeProjectNotFound, "this server does not let the identity list its projects: name one with --project: %w", denied)
	}
	return projects, nil
}
