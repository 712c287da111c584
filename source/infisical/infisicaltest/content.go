package infisicaltest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"infisync/source"
)

// Seed adds what seed holds to what the server has. On an error a part of it may
// have been added.
func (s *Server) Seed(seed Seed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range seed.Projects {
		s.addProject(p)
	}
	for _, identity := range seed.Identities {
		if identity.ClientID == "" {
			return fmt.Errorf("seed: identity %q has no client id", identity.Name)
		}
		s.identities = append(s.identities, &account{Identity: identity})
	}
	s.users = append(s.users, seed.Users...)
	for _, token := range seed.ServiceTokens {
		token.Project = cmp.Or(token.Project, s.firstProject())
		token.Path = cmp.Or(token.Path, "/")
		s.serviceTokens = append(s.serviceTokens, token)
	}
	for _, f := range seed.Folders {
		if err := s.seedFolder(f); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}

func (s *Server) firstProject() string {
	if len(s.projects) == 0 {
		return ""
	}
	return s.projects[0].ID
}

func (s *Server) addProject(p Project) {
	p.ID = cmp.Or(p.ID, uuid("project "+p.Name))
	p.Slug = cmp.Or(p.Slug, p.Name)
	made := &project{Project: p, created: s.now()}
	for _, e := range p.Environments {
		env := &environment{id: s.newID(), slug: e.Slug, name: cmp.Or(e.Name, e.Slug), project: made}
		env.root = s.newFolder(env, nil, "root")
		made.environments = append(made.environments, env)
	}
	s.projects = append(s.projects, made)
}

func (s *Server) seedFolder(f Folder) error {
	at, err := s.reach(source.Place{Project: f.Project, Environment: f.Environment, Path: f.Path})
	if err != nil {
		return err
	}
	for _, given := range f.Secrets {
		sec := s.addSecret(at, given.Name, given.Value, given.User)
		sec.comment = given.Comment
		sec.version = cmp.Or(given.Version, 1)
	}
	for _, given := range f.Imports {
		env := at.env.project.environment(given.Environment)
		if env == nil {
			return fmt.Errorf("import into %q: no environment %q", at.place(), given.Environment)
		}
		s.addImport(at, env, cmp.Or(given.Path, "/"))
	}
	return nil
}

// reach returns the folder of a place, made when missing. An empty project is
// the first one.
func (s *Server) reach(place source.Place) (*folder, error) {
	p := s.findProject(cmp.Or(place.Project, s.firstProject()))
	if p == nil {
		return nil, fmt.Errorf("no project %q", place.Project)
	}
	env := p.environment(place.Environment)
	if env == nil {
		return nil, fmt.Errorf("no environment %q in project %q", place.Environment, p.Slug)
	}
	return s.makeFolder(env, place.Path), nil
}

// look returns the folder of a place, nil when it is missing.
func (s *Server) look(place source.Place) *folder {
	p := s.findProject(cmp.Or(place.Project, s.firstProject()))
	if p == nil {
		return nil
	}
	return p.folder(place.Environment, source.CleanPath(place.Path))
}

// Set creates or changes a shared secret, as someone at the web page would. Like
// there, the value is trimmed. An empty project is the first one; a missing
// folder is made.
func (s *Server) Set(place source.Place, name, value string) error {
	return s.SetAll(place, map[string]string{name: value})
}

// SetAll sets several secrets at once: no request sees only a part of them.
func (s *Server) SetAll(place source.Place, values map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.reach(place)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		kind := secretUpdated
		if sec := f.secret(name, ""); sec != nil {
			sec.value = storedValue(values[name])
			s.touch(sec)
		} else {
			s.addSecret(f, name, values[name], "")
			kind = secretCreated
		}
		s.publish(kind, f, name)
	}
	return nil
}

// Delete removes a shared secret and tells whether there was one.
func (s *Server) Delete(place source.Place, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.look(place)
	if f == nil || f.secret(name, "") == nil {
		return false
	}
	f.remove(name, "")
	s.publish(secretDeleted, f, name)
	return true
}

// remove takes out all rows of that name and owner.
func (f *folder) remove(name, owner string) {
	f.secrets = slices.DeleteFunc(f.secrets, func(sec *secret) bool { return sec.name == name && sec.owner == owner })
}

// Get returns a shared secret of a folder.
func (s *Server) Get(place source.Place, name string) (Secret, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.look(place); f != nil {
		if sec := f.secret(name, ""); sec != nil {
			return Secret{Name: sec.name, Value: sec.value, Comment: sec.comment, Version: sec.version}, true
		}
	}
	return Secret{}, false
}

// Values returns the shared secrets of a folder, name → value; nil when there is
// no such folder.
func (s *Server) Values(place source.Place) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.look(place)
	if f == nil {
		return nil
	}
	values := make(map[string]string)
	for _, sec := range f.secrets {
		if sec.owner == "" {
			values[sec.name] = sec.value
		}
	}
	return values
}

// MakeFolder makes a folder and its parents.
func (s *Server) MakeFolder(place source.Place) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.reach(place)
	return err
}

// DeleteFolder removes a folder with all that it holds, and tells whether there
// was one. An environment's root is only emptied.
func (s *Server) DeleteFolder(place source.Place) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.look(place)
	if f == nil {
		return false
	}
	f.secrets, f.imports, f.children = nil, nil, nil
	if f.parent != nil {
		f.parent.children = slices.DeleteFunc(f.parent.children, func(c *folder) bool { return c == f })
	}
	return true
}

// Import makes a folder import another one of its project, as the last.
func (s *Server) Import(to source.Place, from Import) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.reach(to)
	if err != nil {
		return err
	}
	env := f.env.project.environment(from.Environment)
	if env == nil {
		return fmt.Errorf("no environment %q in project %q", from.Environment, f.env.project.Slug)
	}
	s.addImport(f, env, cmp.Or(from.Path, "/"))
	s.publish(importsChanged, f, "")
	return nil
}

// RequireApproval makes every write in a folder wait for an approval, or ends
// that: such a write is answered 200 and changes nothing.
func (s *Server) RequireApproval(place source.Place, required bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.reach(place)
	if err != nil {
		return err
	}
	f.approval = required
	return nil
}
