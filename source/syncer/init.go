package syncer

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
	"infisync/source/terminal"
)

// Init writes .infisync.yaml into the working directory, with the flags given and, on
// a terminal and without --yes, with what is asked. Nothing is written before all is
// answered.
func (u Setup) Init(ctx context.Context, _ []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return source.Errorf(source.CodeConfigInvalid, "finding the working directory: %w", err)
	}
	if _, err := u.Settings.Places(); err != nil {
		return err
	}
	file, err := u.Settings.NewFile(dir)
	if err != nil {
		return err
	}
	asking := terminal.Is(u.In) && !u.Settings.Yes
	switch {
	case asking:
		if err := u.askPlace(ctx, file); err != nil {
			return err
		}
	case !file.Has("env", "from"):
		return source.Errorf(source.CodeUsage, "without a terminal or with --yes, --env or --from is needed")
	}
	if _, err := io.WriteString(u.Out, file.Text()); err != nil {
		return err
	}
	if asking {
		if err := terminal.Confirm(u.In, u.Err, fmt.Sprintf("write this to %q", file.Path())); err != nil {
			return err
		}
	}
	if err := file.Write(); err != nil {
		return err
	}
	u.Log.Info(fmt.Sprintf("%q is written", file.Path()))
	return nil
}

// askPlace asks for what the flags did not say of project, environment and path.
// --from says all of it.
func (u Setup) askPlace(ctx context.Context, file *config.NewFile) error {
	if file.Has("from") {
		return nil
	}
	projects := u.visibleProjects(ctx)
	project := u.Settings.Project
	if !file.Has("project") {
		chosen, err := u.askProject(projects)
		if err != nil {
			return err
		}
		project = chosen
		file.Set("project", project)
	}
	if !file.Has("env") {
		env, err := u.askEnvironment(projects, project)
		if err != nil {
			return err
		}
		file.Set("env", env)
	}
	if file.Has("path") {
		return nil
	}
	path, err := terminal.Ask(u.In, u.Err, "path", u.Settings.Path)
	if err != nil {
		return err
	}
	if path = source.CleanPath(path); path != "/" {
		file.Set("path", path)
	}
	return nil
}

// visibleProjects are the projects that the identity sees, or none when there is no
// identity or the server does not tell: then a person has to.
func (u Setup) visibleProjects(ctx context.Context) []infisical.Project {
	if !u.Settings.Configured() || u.Settings.Check() != nil {
		return nil
	}
	opt, err := u.Options()
	var projects []infisical.Project
	if err == nil && opt.Client != nil {
		projects, err = New(opt).Projects(ctx)
	}
	if err != nil {
		u.Log.Warn(fmt.Sprintf("the projects cannot be listed: %v", err), "code", string(source.CodeOf(err)))
	}
	return projects
}

func (u Setup) askProject(projects []infisical.Project) (id string, err error) {
	switch len(projects) {
	case 0:
		return terminal.Ask(u.In, u.Err, "project id, or nothing for the only one that the identity sees", u.Settings.Project)
	case 1:
		return projects[0].ID, nil
	}
	choices := make([]terminal.Choice, len(projects))
	for i, p := range projects {
		choices[i] = terminal.Choice{Name: p.ID, About: p.Name}
	}
	return terminal.Choose(u.In, u.Err, "project", choices, u.Settings.Project)
}

func (u Setup) askEnvironment(projects []infisical.Project, project string) (slug string, err error) {
	var choices []terminal.Choice
	if i := slices.IndexFunc(projects, func(p infisical.Project) bool { return p.ID == project }); i >= 0 {
		for _, e := range projects[i].Environments {
			choices = append(choices, terminal.Choice{Name: e.Slug, About: e.Name})
		}
	}
	if len(choices) > 0 {
		return terminal.Choose(u.In, u.Err, "environment", choices, u.Settings.Env)
	}
	for slug == "" && err == nil {
		slug, err = terminal.Ask(u.In, u.Err, "environment, by its slug", u.Settings.Env)
	}
	return slug, err
}
