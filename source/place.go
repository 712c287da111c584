package source

import (
	"fmt"
	"strings"
)

// A Place is where secrets are kept on a server: a project, one of its
// environments and a folder in it.
type Place struct {
	Project     string // id; empty: not settled yet
	Environment string // slug, not the display name
	Path        string // begins with "/", ends without one unless it is "/"
}

// ParsePlace reads "[PROJECT:]ENV:/PATH" or "[PROJECT:]ENV". What is not given
// is empty, and the path then is "/".
func ParsePlace(s string) (Place, error) {
	parts := strings.Split(s, ":")
	path := ""
	if last := parts[len(parts)-1]; strings.HasPrefix(last, "/") {
		path, parts = last, parts[:len(parts)-1]
	}
	var p Place
	switch len(parts) {
	case 1:
		p.Environment = parts[0]
	case 2:
		p.Project, p.Environment = parts[0], parts[1]
	}
	if p.Environment == "" || len(parts) > 2 || (len(parts) == 2 && p.Project == "") {
		return Place{}, fmt.Errorf("place %q is not [PROJECT:]ENV:/PATH", s)
	}
	p.Path = CleanPath(path)
	return p, nil
}

// CleanPath gives a folder's path the form the server uses: with a leading
// slash, without a trailing one.
func CleanPath(path string) string {
	return "/" + strings.Trim(strings.TrimSpace(path), "/")
}

// String returns "project:env:/path", without the project when it is empty.
func (p Place) String() string {
	s := p.Environment + ":" + p.Path
	if p.Project != "" {
		s = p.Project + ":" + s
	}
	return s
}

// Depth is the number of folders in the path: 0 for "/".
func (p Place) Depth() int {
	if p.Path == "/" || p.Path == "" {
		return 0
	}
	return strings.Count(p.Path, "/")
}
