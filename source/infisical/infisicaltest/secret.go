package infisicaltest

import "time"

// masked is what the server serves instead of a value that may not be read.
const masked = "<hidden-by-infisical>"

// A view is how a secret appears in one answer. Each route leaves something out.
type view struct {
	value  string
	hidden bool
	path   bool // with the folder's path
	tags   bool
	flag   bool // says whether the value is hidden
}

// shown is a secret as most answers have it.
func (c *call) shown(sec *secret, v view) object {
	out := c.shownImported(sec, v)
	out["workspace"] = sec.folder.env.project.ID
	out["environment"] = sec.folder.env.slug
	out["secretReminderNote"] = sec.note
	out["secretReminderRepeatDays"] = sec.repeatDays
	out["createdAt"] = timestamp(sec.created)
	out["updatedAt"] = timestamp(sec.updated)
	if v.path {
		out["secretPath"] = sec.folder.path()
	}
	if v.tags || !c.s.traits.oldSecrets {
		out["tags"] = []any{}
	}
	return out
}

// shownImported is a secret as imports have it: with less, and without saying
// which project it is of.
func (c *call) shownImported(sec *secret, v view) object {
	kind := "shared"
	if sec.owner != "" {
		kind = "personal"
	}
	value := v.value
	if v.hidden {
		value = masked
	}
	out := object{
		"id": sec.id, "_id": sec.id, "workspace": "", "environment": sec.folder.env.slug,
		"version": sec.version, "type": kind,
		"secretKey": sec.name, "secretValue": value, "secretComment": sec.comment,
		"skipMultilineEncoding": sec.multiline,
	}
	if c.s.traits.oldSecrets {
		out["metadata"] = nil
		return out
	}
	out["isRotatedSecret"] = false
	out["secretMetadata"] = nonNil(sec.metadata)
	out["actor"] = nil
	if v.flag {
		out["secretValueHidden"] = v.hidden
	}
	return out
}

func nonNil(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

// timestamp is a time as the API writes it: UTC, with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
