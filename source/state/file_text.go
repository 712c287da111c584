package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"infisync/source"
)

// UnmarshalJSON reads a state file. Parts of another type than theirs, and only
// these, stay zero; the error then says so.
func (f *File) UnmarshalJSON(data []byte) error {
	var usual bool
	if *f, usual = readFile(data); usual {
		return nil
	}
	return f.readParts(data)
}

// readParts reads any state file.
func (f *File) readParts(data []byte) error {
	*f = File{}
	all, err := parseFields(data)
	if err != nil {
		return err
	}
	var secrets map[string]json.RawMessage
	err = errors.Join(
		take(all, "last_sync", (*stamp)(&f.LastSync)),
		take(all, "project_ids", &f.ProjectIDs),
		take(all, "environment", &f.Environment),
		take(all, "secrets", &secrets),
		take(all, "error_count", &f.ErrorCount),
		take(all, "push_count", &f.PushCount),
		take(all, "pull_count", &f.PullCount),
		take(all, "hash_method", &f.HashMethod),
	)
	f.unknown = all
	for name, data := range secrets {
		var secret Secret
		if bad := secret.UnmarshalJSON(data); bad != nil {
			err = errors.Join(err, fmt.Errorf("secret %q: %w", name, bad))
			continue
		}
		if f.Secrets == nil {
			f.Secrets = make(map[string]Secret, len(secrets))
		}
		f.Secrets[name] = secret
	}
	return err
}

// MarshalJSON returns the state file's text: indented, its own keys always and
// first.
func (f File) MarshalJSON() ([]byte, error) {
	if f.usual() {
		return f.text(), nil
	}
	return f.textOfParts()
}

// textOfParts is the text of any file.
func (f File) textOfParts() ([]byte, error) {
	secrets := f.Secrets
	if secrets == nil {
		secrets = map[string]Secret{}
	}
	ids := f.ProjectIDs
	if ids == nil {
		ids = []string{}
	}
	members := []member{
		{"last_sync", stamp(f.LastSync)},
		{"project_ids", ids},
		{"environment", f.Environment},
		{"secrets", secrets},
		{"error_count", f.ErrorCount},
		{"push_count", f.PushCount},
		{"pull_count", f.PullCount},
	}
	if f.HashMethod != "" {
		members = append(members, member{"hash_method", f.HashMethod})
	}
	return marshalObject(f.unknown, members...)
}

// usual tells whether text gives what the library would: of a file that infisync wrote,
// and that holds nothing else.
func (f File) usual() bool {
	if len(f.unknown) > 0 || f.LastSync.IsZero() || !source.PlainJSON(f.Environment) || !source.PlainJSON(f.HashMethod) {
		return false
	}
	for _, id := range f.ProjectIDs {
		if !source.PlainJSON(id) {
			return false
		}
	}
	for name, secret := range f.Secrets {
		if !source.PlainJSON(name) || !secret.usual() {
			return false
		}
	}
	return true
}

// text is the text of a usual file.
func (f File) text() []byte {
	text := make([]byte, 0, 512+256*len(f.Secrets))
	text = append(f.LastSync.UTC().AppendFormat(append(text, "{\n  \"last_sync\": \""...), time.RFC3339), "\",\n  \"project_ids\": ["...)
	for i, id := range f.ProjectIDs {
		text = source.AppendJSON(append(text, separator(i)+"\n    "...), id)
	}
	text = append(text, ending(len(f.ProjectIDs))+"],\n  \"environment\": "...)
	text = append(source.AppendJSON(text, f.Environment), ",\n  \"secrets\": {"...)
	for i, name := range slices.Sorted(maps.Keys(f.Secrets)) {
		text = append(source.AppendJSON(append(text, separator(i)+"\n    "...), name), ": "...)
		text = f.Secrets[name].appendUsual(text)
	}
	text = append(text, ending(len(f.Secrets))+"},\n  \"error_count\": "...)
	text = append(strconv.AppendInt(text, int64(f.ErrorCount), 10), ",\n  \"push_count\": "...)
	text = append(strconv.AppendInt(text, int64(f.PushCount), 10), ",\n  \"pull_count\": "...)
	text = strconv.AppendInt(text, int64(f.PullCount), 10)
	if f.HashMethod != "" {
		text = source.AppendJSON(append(text, ",\n  \"hash_method\": "...), f.HashMethod)
	}
	return append(text, "\n}\n"...)
}

// separator is what is before element i of a list.
func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// ending is what is behind the last of n elements of a list.
func ending(n int) string {
	if n == 0 {
		return ""
	}
	return "\n  "
}

// readFile reads what text has written, and returns false for anything else, which may be
// a state file all the same.
func readFile(data []byte) (f File, usual bool) {
	r := &source.JSONReader{Rest: data}
	r.Skip(`{`)
	r.Skip(`"last_sync":`)
	f.LastSync = r.Time()
	r.Skip(`,`)
	r.Skip(`"project_ids":`)
	f.ProjectIDs = []string{}
	for r.Skip(`[`); r.OK() && !r.Try(`]`); {
		if len(f.ProjectIDs) > 0 {
			r.Skip(`,`)
		}
		f.ProjectIDs = append(f.ProjectIDs, r.Text())
	}
	r.Skip(`,`)
	r.Skip(`"environment":`)
	f.Environment = r.Text()
	r.Skip(`,`)
	r.Skip(`"secrets":`)
	for r.Skip(`{`); r.OK() && !r.Try(`}`); {
		if f.Secrets != nil {
			r.Skip(`,`)
		} else {
			f.Secrets = make(map[string]Secret, len(data)/200) // about as many bytes each
		}
		name := r.Text()
		r.Skip(`:`)
		f.Secrets[name] = readSecret(r)
	}
	f.readCounts(r)
	f.unknown = fields{}
	return f, r.OK() && f.LastSync.Nanosecond() == 0
}

func (f *File) readCounts(r *source.JSONReader) {
	r.Skip(`,`)
	r.Skip(`"error_count":`)
	f.ErrorCount = r.Int()
	r.Skip(`,`)
	r.Skip(`"push_count":`)
	f.PushCount = r.Int()
	r.Skip(`,`)
	r.Skip(`"pull_count":`)
	f.PullCount = r.Int()
	if r.Try(`,`) {
		r.Skip(`"hash_method":`)
		f.HashMethod = r.Text()
	}
	r.Skip(`}`)
	if len(bytes.TrimLeft(r.Rest, " \n")) > 0 {
		r.Fail()
	}
}
