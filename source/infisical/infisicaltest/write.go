package infisicaltest

import "strings"

// A target is the folder that a write is for, and what its body says about where.
type target struct {
	project           *project
	folder            *folder
	environment, path string
}

// place reads where a write goes from its body.
func (c *call) place(f *form) (projectID, environment, path string) {
	if c.route.v3 {
		projectID = jsTrim(f.text("workspaceId"))
	} else {
		projectID = jsTrim(f.text("projectId"))
	}
	return projectID, jsTrim(f.text("environment")), cleanPath(f.textOr("secretPath", "/"))
}

// aim finds the project and folder of a write. operation names it in the error.
func (c *call) aim(operation, projectID, environment, path string) (target, error) {
	p, err := c.enter(projectID)
	if err != nil {
		return target{}, err
	}
	t := target{project: p, environment: environment, path: path, folder: p.folder(environment, path)}
	if t.folder == nil {
		return target{}, c.missingFolder(operation, environment, path)
	}
	return t, nil
}

// changes are the fields of a secret that a write may set; nil: not sent.
type changes struct {
	value, newName, comment *string
	note                    *string
	repeatDays              *float64
	multiline               *bool
	metadata                []any
	tags                    []any
}

// changes reads them.
func (c *call) changes(f *form, valueNeeded bool) changes {
	var ch changes
	if valueNeeded || f.has("secretValue") {
		value := f.text("secretValue")
		ch.value = &value
	}
	ch.comment = f.nullableText("secretComment")
	ch.note = f.nullableText("secretReminderNote")
	ch.repeatDays = f.nullableNumber("secretReminderRepeatDays")
	ch.multiline = f.nullableBool("skipMultilineEncoding")
	ch.metadata = f.list("secretMetadata")
	ch.tags = f.list("tagIds")
	return ch
}

// secretName reads a name that a write makes: trimmed and, but for old servers,
// checked.
func (c *call) secretName(f *form, name, given string) string {
	given = jsTrim(given)
	if c.s.traits.oldNames {
		return given
	}
	if given == "" {
		f.reject(name, "Secret name is required")
	} else if strings.ContainsAny(given, ":/") {
		f.reject(name, "Secret name cannot contain colon or forward slash")
	}
	return given
}

func (c *call) checkCase(p *project, name string) error {
	if p.UpperCase && name != strings.ToUpper(name) {
		return badRequest("Secret name must be in UPPERCASE")
	}
	return nil
}

// checkContent refuses tags, since no project here has any, and references to
// what the actor may not read.
func (c *call) checkContent(at *folder, ch changes) error {
	if len(ch.tags) > 0 {
		return notFound("NotFound", "Tag not found")
	}
	if ch.value == nil {
		return nil
	}
	x := c.expander(true)
	replaceReferences(*ch.value, func(reference string) (string, bool) {
		if _, may := x.target(&secret{folder: at}, reference); !may {
			x.denied = append(x.denied, reference)
		}
		return "", false
	})
	if len(x.denied) > 0 {
		return c.denied("readValue", "secrets")
	}
	return nil
}

// apply stores changes in a row, without counting a version.
func (ch changes) apply(sec *secret) {
	if ch.value != nil {
		sec.value = storedValue(*ch.value)
	}
	if ch.newName != nil {
		sec.name = *ch.newName
	}
	if ch.comment != nil {
		sec.comment = jsTrim(*ch.comment)
	}
	if ch.note != nil {
		sec.note = ch.note
	}
	if ch.repeatDays != nil {
		sec.repeatDays = ch.repeatDays
	}
	if ch.multiline != nil {
		sec.multiline = *ch.multiline
	}
	if ch.metadata != nil {
		sec.metadata = ch.metadata
	}
}

// approval is the answer to a write that waits for someone's approval.
func (c *call) approval(t target) object {
	now := timestamp(c.s.now())
	id := c.s.newID()
	return object{"approval": object{
		"id": id, "slug": "request-" + id[:8], "status": "open", "hasMerged": false, "conflicts": nil,
		"folderId": t.folder.id, "policyId": uuid("policy " + t.folder.id), "createdAt": now, "updatedAt": now,
	}}
}
