package infisicaltest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"infisync/source"
)

// The store is a tree: project → environment → root folder → folders, each with
// secrets and imports. All of it is guarded by Server.mu.

type project struct {
	Project
	environments []*environment
	created      time.Time
}

type environment struct {
	id, slug, name string
	project        *project
	root           *folder
}

type folder struct {
	id, name string
	env      *environment
	parent   *folder // nil for an environment's root
	children []*folder
	secrets  []*secret
	imports  []*secretImport // by position
	created  time.Time
	approval bool // writes wait for an approval
}

type secret struct {
	id, name, value, comment string
	owner                    string // a user's id; empty: shared
	version                  int
	created, updated         time.Time
	folder                   *folder
	multiline                bool // skipMultilineEncoding: carried, without effect
	note                     *string
	repeatDays               *float64
	metadata                 []any
}

type secretImport struct {
	id       string
	from     *folder // the folder that imports
	env      *environment
	path     string // of the imported folder, which may be missing
	position int
	created  time.Time
}

// newID returns a UUID. The ids of one server come in the same random order each
// time, so that what is sorted by id is not sorted by anything else.
func (s *Server) newID() string {
	s.ids++
	return uuid(fmt.Sprint("id ", s.ids))
}

func uuid(of string) string {
	sum := sha256.Sum256([]byte(of))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (s *Server) findProject(id string) *project {
	for _, p := range s.projects {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Server) findProjectBySlug(slug string) *project {
	for _, p := range s.projects {
		if p.Slug == slug {
			return p
		}
	}
	return nil
}

func (p *project) environment(slug string) *environment {
	for _, e := range p.environments {
		if e.slug == slug {
			return e
		}
	}
	return nil
}

// folder returns the folder at a path, nil when there is none. A path without a
// leading slash, or with empty parts, names nothing.
func (p *project) folder(slug, path string) *folder {
	env := p.environment(slug)
	if env == nil || !strings.HasPrefix(path, "/") {
		return nil
	}
	at := env.root
	if path == "/" {
		return at
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if at = at.child(part); at == nil {
			return nil
		}
	}
	return at
}

func (f *folder) child(name string) *folder {
	for _, c := range f.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// path is the folder's absolute path, "/" for a root.
func (f *folder) path() string {
	if f.parent == nil {
		return "/"
	}
	return strings.TrimSuffix(f.parent.path(), "/") + "/" + f.name
}

// below returns the folder and all folders under it, nearest first.
func (f *folder) below() []*folder {
	all := []*folder{f}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].children...)
	}
	return all
}

func (f *folder) place() source.Place {
	return source.Place{Project: f.env.project.ID, Environment: f.env.slug, Path: f.path()}
}

// secret returns the shared secret of a name, or the owner's personal one.
func (f *folder) secret(name, owner string) *secret {
	for _, sec := range f.secrets {
		if sec.name == name && sec.owner == owner {
			return sec
		}
	}
	return nil
}

// makeFolder returns the folder of a path, making what is missing of it.
func (s *Server) makeFolder(env *environment, path string) *folder {
	at := env.root
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		next := at.child(part)
		if next == nil {
			next = s.newFolder(env, at, part)
		}
		at = next
	}
	return at
}

func (s *Server) newFolder(env *environment, parent *folder, name string) *folder {
	f := &folder{id: s.newID(), name: name, env: env, parent: parent, created: s.now()}
	if parent != nil {
		parent.children = append(parent.children, f)
	}
	return f
}

// addSecret stores a new row. Rows are kept in the order of their ids: that is
// the order the server lists them in.
func (s *Server) addSecret(f *folder, name, value, owner string) *secret {
	now := s.now()
	sec := &secret{
		id: s.newID(), name: name, value: storedValue(value), owner: owner,
		version: 1, created: now, updated: now, folder: f,
	}
	at, _ := slices.BinarySearchFunc(f.secrets, sec, func(a, b *secret) int { return strings.Compare(a.id, b.id) })
	f.secrets = slices.Insert(f.secrets, at, sec)
	return sec
}

// touch counts a new version of a row.
func (s *Server) touch(sec *secret) {
	sec.version++
	sec.updated = s.now()
}

func (s *Server) addImport(to *folder, env *environment, path string) *secretImport {
	imp := &secretImport{
		id: s.newID(), from: to, env: env, path: path, position: len(to.imports) + 1, created: s.now(),
	}
	to.imports = append(to.imports, imp)
	return imp
}
