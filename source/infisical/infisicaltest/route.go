package infisicaltest

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"
)

// A route is one method and path of the API and what serves it.
type route struct {
	method string
	path   string // a segment "{name}" takes any text
	kind   Kind
	access access
	limit  category
	v3     bool
	handle func(*call) (any, error)
}

// access is whose token a route needs. The zero access is none.
type access uint8

const (
	forUsers access = 1 << iota
	forIdentities
	forServiceTokens
)

const (
	forPeople = forUsers | forIdentities
	forAll    = forUsers | forIdentities | forServiceTokens
)

// maxNameLength is in UTF-16 units, as the server's framework counts.
const maxNameLength = 100

// makeRoutes lists what the profile serves. Routes without a parameter come
// before those that would swallow them.
func (s *Server) makeRoutes() []route {
	routes := []route{
		{method: "GET", path: "/api/status", kind: KindStatus, handle: (*call).status},
		{method: "POST", path: "/api/v1/auth/universal-auth/login", kind: KindLogin, limit: limitWrite, handle: (*call).login},
		{method: "POST", path: "/api/v1/auth/token/renew", kind: KindToken, limit: limitWrite, handle: (*call).renewToken},
		{method: "POST", path: "/api/v1/auth/token/revoke", kind: KindToken, limit: limitWrite, handle: (*call).revokeToken},
		{method: "POST", path: "/api/v1/auth/{name}/login", kind: KindLogin, limit: limitWrite, handle: (*call).loginOtherwise},
		{method: "GET", path: "/api/v1/workspace/{name}", kind: KindProjects, access: forAll, limit: limitRead, handle: (*call).workspace},
		{method: "POST", path: "/api/v1/folders", kind: KindFolders, access: forAll, limit: limitSecret, handle: (*call).createFolder},
		{method: "GET", path: "/api/v1/folders", kind: KindFolders, access: forAll, limit: limitRead, handle: (*call).listFolders},
		{method: "POST", path: "/api/v1/secret-imports", kind: KindImports, access: forAll, limit: limitSecret, handle: (*call).createImport},
		{method: "GET", path: "/api/v1/secret-imports", kind: KindImports, access: forAll, limit: limitRead, handle: (*call).listImports},
	}
	workspaces := route{method: "GET", path: "/api/v1/workspace", kind: KindProjects, access: forPeople, limit: limitRead, handle: (*call).workspaces}
	if s.traits.usersOnly {
		workspaces.access = forUsers
	}
	routes = append(routes, workspaces)
	if !s.traits.noProjects {
		routes = append(routes,
			route{method: "GET", path: "/api/v1/projects", kind: KindProjects, access: forPeople, limit: limitRead, handle: (*call).listProjects},
			route{method: "GET", path: "/api/v1/projects/{name}", kind: KindProjects, access: forAll, limit: limitRead, handle: (*call).project},
			route{method: "GET", path: "/api/v1/projects/slug/{name}", kind: KindProjects, access: forPeople, limit: limitRead, handle: (*call).projectBySlug},
		)
	}
	if !s.traits.noV4 {
		routes = append(routes,
			route{method: "POST", path: "/api/v4/secrets/backfill-secret-references", kind: KindUnknown, access: forPeople, limit: limitSecret, handle: (*call).backfillReferences},
			route{method: "POST", path: "/api/v4/secrets/move", kind: KindUnknown, access: forPeople, limit: limitSecret, handle: (*call).moveSecrets},
			route{method: "POST", path: "/api/v1/events/subscribe/project-events", kind: KindEvents, access: forPeople, limit: limitRead, handle: (*call).subscribe},
		)
		routes = append(routes, secretRoutes("/api/v4/secrets", "/api/v4/secrets/batch", false)...)
	}
	if !s.traits.noV3 {
		routes = append(routes, secretRoutes("/api/v3/secrets/raw", "/api/v3/secrets/batch/raw", true)...)
		routes = append(routes, route{method: "GET", path: "/api/v3/secrets", kind: KindUnknown, access: forAll, limit: limitSecret, v3: true, handle: (*call).listEncrypted})
	}
	return routes
}

func secretRoutes(base, batch string, v3 bool) []route {
	single := base + "/{name}"
	routes := []route{
		{method: "GET", path: base, kind: KindList, handle: (*call).list},
		{method: "POST", path: batch, kind: KindBatch, handle: (*call).createBatch},
		{method: "PATCH", path: batch, kind: KindBatch, handle: (*call).updateBatch},
		{method: "DELETE", path: batch, kind: KindBatch, handle: (*call).deleteBatch},
		{method: "GET", path: single, kind: KindGet, handle: (*call).get},
		{method: "POST", path: single, kind: KindCreate, handle: (*call).create},
		{method: "PATCH", path: single, kind: KindUpdate, handle: (*call).update},
		{method: "DELETE", path: single, kind: KindDelete, handle: (*call).delete},
	}
	for i := range routes {
		routes[i].access, routes[i].limit, routes[i].v3 = forAll, limitSecret, v3
	}
	return routes
}

// findRoute returns the route of a request and what its "{name}" stands for.
func (s *Server) findRoute(r *http.Request) (found *route, name string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := r.URL.EscapedPath()
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	for i := range s.routes {
		if s.routes[i].method != method {
			continue
		}
		if name, ok := s.routes[i].match(path); ok {
			return &s.routes[i], name
		}
	}
	return nil, ""
}

func (r *route) match(path string) (name string, ok bool) {
	before, after, variable := strings.Cut(r.path, "{name}")
	if !variable {
		return "", path == r.path
	}
	name, ok = strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	if name, ok = strings.CutSuffix(name, after); !ok || name == "" || strings.Contains(name, "/") {
		return "", false
	}
	name, err := url.PathUnescape(name)
	if err != nil || len(utf16.Encode([]rune(name))) > maxNameLength {
		return "", false
	}
	return name, true
}
