package infisicaltest

import "fmt"

// status is the health route.
func (c *call) status() (any, error) {
	return object{
		"date": timestamp(c.s.now()), "message": "Ok", "emailConfigured": false, "inviteOnlySignup": true,
		"redisConfigured": true, "secretScanningConfigured": false,
	}, nil
}

func (c *call) shownProject(p *project) object {
	environments := make([]object, len(p.environments))
	for i, e := range p.environments {
		environments[i] = object{"id": e.id, "name": e.name, "slug": e.slug}
	}
	version := 3
	if p.TooOld {
		version = 1
	}
	out := object{
		"id": p.ID, "_id": p.ID, "name": p.Name, "slug": p.Slug, "orgId": uuid("organization"),
		"autoCapitalization": p.UpperCase || c.s.traits.oldSecrets, "version": version, "upgradeStatus": nil, "pitVersionLimit": 10,
		"kmsCertificateKeyId": nil, "auditLogsRetentionDays": nil,
		"createdAt": timestamp(p.created), "updatedAt": timestamp(p.created), "environments": environments,
	}
	if !c.s.traits.oldSecrets {
		out["type"] = "secret-manager"
	}
	return out
}

// mine returns the projects that the actor is in.
func (c *call) mine() []object {
	projects := []object{}
	for _, p := range c.s.projects {
		if c.member(p) {
			projects = append(projects, c.shownProject(p))
		}
	}
	return projects
}

// filtered is mine with the filter of the query: all projects here are of one
// type.
func (c *call) filtered() ([]object, error) {
	q := c.query()
	kind := q.oneOf("type", "all", "secret-manager", "cert-manager", "kms", "ssh", "secret-scanning", "pam", "ai")
	q.flag("includeRoles", false)
	if err := q.check(c.s); err != nil {
		return nil, err
	}
	if kind != "all" && kind != "secret-manager" {
		return []object{}, nil
	}
	return c.mine(), nil
}

func (c *call) listProjects() (any, error) {
	projects, err := c.filtered()
	return object{"projects": projects}, err
}

func (c *call) workspaces() (any, error) {
	workspaces, err := c.filtered()
	return object{"workspaces": workspaces}, err
}

// one finds the project of a route by its id.
func (c *call) one() (object, error) {
	p := c.s.findProject(c.name)
	if p == nil {
		if c.s.traits.oldMessages {
			return nil, somethingWentWrong("Failed to find project by id")
		}
		return nil, notFound("NotFound", fmt.Sprintf("Project with ID '%s' not found", c.name))
	}
	if !c.member(p) {
		return nil, c.notMember()
	}
	return c.shownProject(p), nil
}

func (c *call) project() (any, error) {
	p, err := c.one()
	return object{"project": p}, err
}

func (c *call) workspace() (any, error) {
	p, err := c.one()
	return object{"workspace": p}, err
}

// projectBySlug answers the bare project, without a wrapper.
func (c *call) projectBySlug() (any, error) {
	p := c.s.findProjectBySlug(c.name)
	if p == nil {
		return nil, notFound("NotFound", fmt.Sprintf("Project with slug '%s' not found", c.name))
	}
	if !c.member(p) {
		return nil, c.notMember()
	}
	return c.shownProject(p), nil
}
