package infisicaltest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// An expander replaces references in values: "${NAME}" by the secret of that name
// in the same folder, "${env.folder.NAME}" by one of another place in the same
// project. A reference to nothing, or one that leads back to where it stands,
// stays as it is written. Nothing escapes a reference.
type expander struct {
	c      *call
	on     bool
	denied []string // references that the actor may not follow
}

func (c *call) expander(on bool) *expander { return &expander{c: c, on: on} }

// expand returns a secret's value with its references replaced.
func (x *expander) expand(sec *secret) string {
	if !x.on {
		return sec.value
	}
	return x.follow(sec, nil)
}

func (x *expander) follow(sec *secret, trail []*secret) string {
	trail = append(trail, sec)
	return replaceReferences(sec.value, func(reference string) (string, bool) {
		target, may := x.target(sec, reference)
		if !may {
			x.denied = append(x.denied, fmt.Sprintf("%s in %s", reference, sec.name))
			return "", false
		}
		if target == nil || slices.Contains(trail, target) {
			return "", false
		}
		return x.follow(target, trail), true
	})
}

// target finds the secret that a reference names, nil when there is none, and
// whether the actor may read where it is.
func (x *expander) target(from *secret, reference string) (sec *secret, may bool) {
	at := from.folder
	parts := strings.Split(reference, ".")
	if len(parts) > 1 {
		path := "/" + strings.Join(parts[1:len(parts)-1], "/")
		at = from.folder.env.project.folder(parts[0], path)
	}
	if at == nil {
		return nil, true
	}
	return at.secret(parts[len(parts)-1], ""), x.c.level(at) >= seesValues
}

// err is the error for the whole answer when a reference may not be followed.
func (x *expander) err() error {
	if len(x.denied) == 0 {
		return nil
	}
	return &apiError{
		status: http.StatusForbidden, name: "ForbiddenError", details: x.denied,
		message: "Failed to expand one or more secret references",
	}
}

// replaceReferences calls with for the trimmed inner text of each "${…}" and puts
// its result there, when there is one.
func replaceReferences(value string, with func(reference string) (string, bool)) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(value, "${")
		inner, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return out.String() + value
		}
		out.WriteString(before)
		text := "${" + inner + "}"
		if inner != "" {
			if replaced, ok := with(jsTrim(inner)); ok {
				text = replaced
			}
		}
		out.WriteString(text)
		value = after
	}
}
