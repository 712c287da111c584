package infisicaltest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A reading is the parameters that the reads of secrets share.
type reading struct {
	project, slug, environment, path string
	recursive, imports, expand, view bool
	personal                         bool
	tags                             string
}

// reading reads them. How the imports flag is spelled, and whether the flags are
// on when they are not sent, differs between versions.
func (c *call) reading() (reading, error) {
	q := c.query()
	importsFlag, on := "includeImports", true
	if c.route.v3 || c.s.traits.oldFlags {
		importsFlag, on = "include_imports", false
	}
	r := reading{
		project:     q.textOr(c.projectKey(), ""),
		environment: q.textOr("environment", ""),
		path:        cleanPath(q.textOr("secretPath", "/")),
		expand:      q.flag("expandSecretReferences", on),
		recursive:   q.flag("recursive", false),
		imports:     q.flag(importsFlag, on),
		view:        true,
		tags:        q.textOr("tagSlugs", ""),
	}
	if c.route.v3 {
		r.slug = q.textOr("workspaceSlug", "")
	}
	if !c.s.traits.oldSecrets {
		r.view = q.flag("viewSecretValue", true)
	}
	if !c.s.traits.bothKinds {
		r.personal = q.flag("includePersonalOverrides", false)
	}
	if token := c.who.service; token != nil {
		r.project = cmp.Or(r.project, token.Project)
		r.environment = cmp.Or(r.environment, token.Environment)
	}
	return r, q.check(c.s)
}

// projectKey is the parameter that names a project by its id.
func (c *call) projectKey() string {
	if c.route.v3 {
		return "workspaceId"
	}
	return "projectId"
}

// cleanPath is what the server makes of a folder's path. It does not add a
// leading slash: a path without one names nothing.
func cleanPath(path string) string {
	path = jsTrim(path)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// find returns the project and the folder of a reading; the folder is nil when it
// does not exist.
func (c *call) find(r *reading) (*project, *folder, error) {
	if r.slug != "" && r.project == "" {
		p := c.s.findProjectBySlug(r.slug)
		if p == nil && c.s.traits.oldMessages {
			return nil, nil, somethingWentWrong("Failed to find project by slug")
		}
		if p == nil {
			return nil, nil, notFound("NotFound", fmt.Sprintf("Project with slug '%s' not found", r.slug))
		}
		r.project = p.ID
	}
	if r.project == "" || r.environment == "" {
		what := "project"
		if c.s.traits.oldMessages {
			what = "workspace"
		}
		return nil, nil, badRequest("Missing " + what + " id or environment")
	}
	p, err := c.enter(r.project)
	if err != nil {
		return nil, nil, err
	}
	return p, p.folder(r.environment, r.path), nil
}

// list is the listing of a folder.
func (c *call) list() (any, error) {
	r, err := c.reading()
	if err != nil {
		return nil, err
	}
	p, at, err := c.find(&r)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return c.listNothing(r, p)
	}
	if err := c.readable(at, r.view); err != nil {
		return nil, err
	}
	folders := []*folder{at}
	if r.recursive {
		folders = at.below()
	}
	// A folder below that may not be read is left out without a word.
	folders = slices.DeleteFunc(folders, func(f *folder) bool { return c.readable(f, r.view) != nil })
	x := c.expander(r.expand && r.view)
	answer := object{"secrets": c.listOwn(r, folders, x)}
	if r.imports {
		answer["imports"] = c.listImported(r, folders, x)
	}
	return answer, x.err()
}

// listNothing answers a listing of a folder that does not exist.
func (c *call) listNothing(r reading, p *project) (any, error) {
	if !c.s.traits.emptyUnknown {
		return nil, c.missingFolder("SecretPathNotFound", r.environment, r.path)
	}
	if r.recursive && p.environment(r.environment) == nil {
		return nil, internal()
	}
	answer := object{"secrets": []object{}}
	if r.imports {
		answer["imports"] = []object{}
	}
	return answer, nil
}

// readable checks that the actor may see a folder's names and, to view them, its
// values.
func (c *call) readable(f *folder, view bool) error {
	if c.s.traits.oldMessages {
		return c.allowed(f, seesValues, "read")
	}
	if err := c.allowed(f, seesNames, "describeSecret"); err != nil || !view {
		return err
	}
	return c.allowed(f, seesValues, "readValue")
}

func (c *call) listOwn(r reading, folders []*folder, x *expander) []object {
	rows := []*secret{}
	for _, f := range folders {
		rows = append(rows, c.visible(f, r)...)
	}
	slices.SortFunc(rows, func(a, b *secret) int { return strings.Compare(a.id, b.id) })
	shown := make([]object, len(rows))
	for i, sec := range rows {
		shown[i] = c.shown(sec, view{value: x.expand(sec), hidden: !r.view, path: true, tags: true, flag: true})
	}
	return shown
}

// visible returns the rows of a folder that a list shows to the actor. No secret
// has a tag, so that a filter by tags leaves none.
func (c *call) visible(f *folder, r reading) []*secret {
	if r.tags != "" {
		return nil
	}
	me := c.who.owner()
	return slices.DeleteFunc(slices.Clone(f.secrets), func(sec *secret) bool {
		mine := sec.owner != "" && sec.owner == me
		if c.s.traits.bothKinds {
			return sec.owner != "" && !mine
		}
		if r.personal && me != "" && sec.owner == "" {
			return f.secret(sec.name, me) != nil
		}
		return sec.owner != "" && !(mine && r.personal)
	})
}

// get reads one secret by its name.
func (c *call) get() (any, error) {
	r, err := c.reading()
	if err != nil {
		return nil, err
	}
	q := c.query()
	kind := q.oneOf("type", "shared", "personal")
	if err := q.check(c.s); err != nil {
		return nil, err
	}
	_, at, err := c.find(&r)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return nil, c.missingFolder("GetSecretByName", r.environment, r.path)
	}
	if err := c.readable(at, r.view); err != nil {
		return nil, err
	}
	x := c.expander(r.expand && r.view)
	if sec := c.own(at, r, kind); sec != nil {
		found := c.shown(sec, view{value: x.expand(sec), hidden: !r.view, path: !c.s.traits.oldSecrets, tags: true, flag: true})
		return object{"secret": found}, x.err()
	}
	if sec := c.imported(at, r); sec != nil {
		found := c.shown(sec, view{value: x.expand(sec), hidden: !r.view, flag: true})
		return object{"secret": found}, x.err()
	}
	if c.s.traits.oldMessages {
		return nil, notFound("NotFound", "Secret not found")
	}
	return nil, notFound("NotFound", fmt.Sprintf("Secret with name '%s' not found", c.name))
}

// own finds the secret that a get is for in its own folder.
func (c *call) own(at *folder, r reading, kind string) *secret {
	if me := c.who.owner(); me != "" && (kind == "personal" || r.personal) {
		if sec := at.secret(c.name, me); sec != nil {
			return sec
		}
	}
	if kind == "personal" {
		return nil
	}
	return at.secret(c.name, "")
}

// imported finds it in what the folder imports, the last import first.
func (c *call) imported(at *folder, r reading) *secret {
	if !r.imports {
		return nil
	}
	for _, entry := range slices.Backward(c.resolve(r, []*folder{at})) {
		for _, sec := range entry.secrets {
			if sec.name == c.name {
				return sec
			}
		}
	}
	return nil
}

// listEncrypted is the interface of the clients that decrypt by themselves. It
// lists nothing for projects whose secrets the server can read, as all here.
func (c *call) listEncrypted() (any, error) {
	r, err := c.reading()
	if err != nil {
		return nil, err
	}
	if _, _, err := c.find(&r); err != nil {
		return nil, err
	}
	return object{"secrets": []object{}}, nil
}
