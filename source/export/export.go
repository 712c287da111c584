// Package export writes secrets in the formats that other programs read.
//
//	dotenv   NAME=value, quoted for godotenv and its like
//	json     one flat object NAME → value
//	yaml     one flat mapping NAME → value
//	shell    export NAME='value', to be sourced by sh or bash
//	docker   NAME=value for `docker run --env-file` and `podman run --env-file`
//	k8s      the manifest of a Kubernetes Secret
//	systemd  NAME="value" for a unit's EnvironmentFile=
//
// Each is quoted for its own readers, so that these get the same bytes back. A
// name or value that a format cannot carry is an error with
// source.CodeExportImpossible that names the secret; it is never changed, and
// then nothing at all is written. Secrets are in the order of their names, so
// that equal sets give equal bytes.
//
// What is written is plaintext. [WriteFile] writes it to a file that only its
// owner can read, from its creation on. Errors never hold a value.
package export

import (
	"bytes"
	"io"
	"iter"

	"infisync/source"
)

// Options are what some formats need beside the secrets.
type Options struct {
	// Name is the metadata.name of format k8s, which needs one; the other formats
	// ignore it.
	Name string
}

// formats are in the order in which help lists them.
var formats = [...]struct {
	name   string
	render func(*bytes.Buffer, source.Set, Options) error
}{
	{"dotenv", lines("dotenv", dotenvLine)},
	{"json", writeJSON},
	{"yaml", writeYAML},
	{"shell", lines("shell", shellLine)},
	{"docker", lines("docker", dockerLine)},
	{"k8s", writeKubernetes},
	{"systemd", lines("systemd", systemdLine)},
}

// Formats returns the names of the formats; the caller owns the slice.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Write writes set to w in that format, in one call of w.Write. An error has
// source.CodeUsage for a format there is not and for Options that the format
// cannot use, source.CodeExportImpossible for a secret that it cannot carry, and
// source.CodeExportFile for w's own; with the first two nothing was written.
func Write(w io.Writer, format string, set source.Set, opt Options) error {
	text, err := render(format, set, opt)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return source.Errorf(source.CodeExportFile, "writing the secrets: %w", err)
	}
	return nil
}

// render returns the whole text, so that an error in it writes nothing.
func render(format string, set source.Set, opt Options) ([]byte, error) {
	for _, f := range formats {
		if f.name == format {
			var out bytes.Buffer
			err := f.render(&out, set, opt)
			return out.Bytes(), err
		}
	}
	return nil, source.NoFormat(format, Formats()...)
}

// Renderer returns a function that returns what [Write] would write of pairs of name
// and value, with its errors.
func Renderer(format string, opt Options) func(iter.Seq2[string, string]) ([]byte, error) {
	return func(pairs iter.Seq2[string, string]) ([]byte, error) {
		var secrets []source.Secret
		for name, value := range pairs {
			secrets = append(secrets, source.Secret{Name: name, Value: source.NewValue(value)})
		}
		text, err := render(format, source.NewSet(secrets...), opt)
		if err != nil {
			return nil, err
		}
		return text, nil
	}
}

// lines makes a format of one that has a line for each secret. line returns the
// secret's line, or why there can be none.
func lines(format string, line func(name, value string) (text, reason string)) func(*bytes.Buffer, source.Set, Options) error {
	return func(out *bytes.Buffer, set source.Set, _ Options) error {
		for secret := range set.All() {
			text, reason := line(secret.Name, secret.Value.Reveal())
			if reason != "" {
				return impossible(format, secret.Name, reason)
			}
			out.WriteString(text)
			out.WriteByte('\n')
		}
		return nil
	}
}

// impossible is the error for a secret that a format cannot carry.
func impossible(format, name, reason string) error {
	return source.Errorf(source.CodeExportImpossible, "format %s cannot carry secret %q: %s", format, name, reason)
}
