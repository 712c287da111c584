package infisical

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"infisync/source"
)

// A Project is what the server knows under one project id.
type Project struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Slug         string        `json:"slug"`
	Environments []Environment `json:"environments"`
}

// An Environment is one stage of a project. Everything else in the API names it
// by its slug.
type Environment struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// secretProjects asks for the kind of project that holds secrets.
var secretProjects = url.Values{"type": {"secret-manager"}, "includeRoles": {"false"}}

// Projects returns the projects that the identity sees, in the server's order.
// Servers of 2024 let no identity list them: access-denied.
func (s *Session) Projects(ctx context.Context) ([]Project, error) {
	var projects []Project
	err := s.projectRoute(func(route string) error {
		return s.do(ctx, &call{
			doing:    fmt.Sprintf("listing the projects of %q", s.client.base),
			method:   http.MethodGet,
			path:     route,
			query:    secretProjects,
			notFound: source.CodeRequestRefused,
			read: func(_ *http.Response, body io.Reader) error {
				var err error
				projects, err = readProjects(body)
				return err
			},
		})
	})
	if err != nil {
		return nil, err
	}
	return projects, nil
}

// Project returns one project by its id. Errors: project-not-found, access-denied,
// or what can go wrong with any request.
func (s *Session) Project(ctx context.Context, id string) (Project, error) {
	var project Project
	err := s.projectRoute(func(route string) error {
		return s.do(ctx, &call{
			doing:    fmt.Sprintf("reading project %q", id),
			method:   http.MethodGet,
			path:     route + "/" + url.PathEscape(id),
			notFound: source.CodeProjectNotFound,
			read: func(_ *http.Response, body io.Reader) error {
				var err error
				project, err = readProject(body)
				return err
			},
		})
	})
	if err != nil {
		return Project{}, err
	}
	return project, nil
}

// projectRoute asks the route of today's servers, and that of older ones when
// there is none.
func (s *Session) projectRoute(ask func(route string) error) error {
	first, second := "/v1/projects", "/v1/workspace"
	if s.client.known.workspace.Load() {
		first, second = second, first
	}
	err := ask(first)
	if !isNoRoute(err) {
		return err
	}
	if err = ask(second); !isNoRoute(err) {
		s.client.known.workspace.Store(second == "/v1/workspace")
	}
	return err
}

// wireProject is a project as the server writes it.
type wireProject struct {
	Project
	Type string `json:"type"` // absent on old servers
}

// readProjects accepts the key of either route from both.
func readProjects(body io.Reader) ([]Project, error) {
	var answer struct {
		Projects   json.RawMessage `json:"projects"`
		Workspaces json.RawMessage `json:"workspaces"`
	}
	if err := decodeJSON(body, &answer); err != nil {
		return nil, err
	}
	list := answer.Projects
	if list == nil {
		list = answer.Workspaces
	}
	var wire []wireProject
	if list == nil || string(list) == "null" || json.Unmarshal(list, &wire) != nil {
		return nil, errShape
	}
	projects := make([]Project, 0, len(wire))
	for _, w := range wire {
		if w.Type != "" && w.Type != "secret-manager" {
			continue // a server that does not know the filter sends all kinds
		}
		if w.ID == "" {
			return nil, errShape
		}
		projects = append(projects, w.Project)
	}
	return projects, nil
}

func readProject(body io.Reader) (Project, error) {
	var answer struct {
		Project   Project `json:"project"`
		Workspace Project `json:"workspace"`
	}
	if err := decodeJSON(body, &answer); err != nil {
		return Project{}, err
	}
	project := answer.Project
	if project.ID == "" {
		project = answer.Workspace
	}
	if project.ID == "" {
		return Project{}, errShape
	}
	return project, nil
}
