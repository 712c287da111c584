// Package dotenv reads .env files as godotenv does.
//
// A [File] is a source.Source. Over godotenv it adds: a byte order mark at the
// begin is dropped; a statement without a name, which godotenv takes, is
// refused, and so is a NUL byte; names in whose values a "$" was expanded are
// reported; files of any number of comment lines can be read.
//
// Errors give the path and the number of the line, and no byte of the file.
// godotenv's own are never passed on: they quote the rest of the file.
package dotenv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"infisync/source"
)

// maxSize is the size above which a file is refused: 16 MiB. No environment is
// that large.
const maxSize = 16 << 20

// A File is a source.Source that reads one .env file anew at each Load. Its
// secrets have the file's path as Path of their Place and nothing else in it;
// version and time are not known. Of a name that occurs twice, the last counts.
type File struct {
	Path string

	// Expanded, when it is not nil, is called by Load with the names, sorted,
	// in whose values godotenv replaced "$" and what follows. It is not called
	// when there are none.
	Expanded func(names []string)
}

// Load reads the file. Errors have source.CodeDotenvMissing, and then wrap
// fs.ErrNotExist, or source.CodeDotenvInvalid. It blocks as long as opening and
// reading the file does, whatever becomes of ctx: a named pipe waits for its
// writer.
func (f File) Load(ctx context.Context) (source.Set, error) {
	if err := context.Cause(ctx); err != nil {
		return source.Set{}, err
	}
	data, err := read(f.Path)
	if err != nil {
		return source.Set{}, err
	}
	values, expanded, err := Parse(data)
	if err != nil {
		// Parse's errors hold nothing of the file.
		return source.Set{}, source.Errorf(source.CodeDotenvInvalid, "reading .env file %q: %w", f.Path, err)
	}
	if f.Expanded != nil && len(expanded) > 0 {
		f.Expanded(expanded)
	}
	secrets := make([]source.Secret, 0, len(values))
	for name, value := range values {
		secrets = append(secrets, source.Secret{Name: name, Value: value, Place: source.Place{Path: f.Path}})
	}
	return source.NewSet(secrets...), nil
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, source.Errorf(source.CodeDotenvMissing, "no .env file: %w", err)
	}
	if err != nil {
		return nil, source.Errorf(source.CodeDotenvInvalid, "reading a .env file: %w", err)
	}
	defer file.Close()
	var text bytes.Buffer
	if info, err := file.Stat(); err == nil { // 0 for a pipe
		text.Grow(int(min(info.Size(), maxSize)) + bytes.MinRead)
	}
	if _, err := text.ReadFrom(io.LimitReader(file, maxSize+1)); err != nil {
		return nil, source.Errorf(source.CodeDotenvInvalid, "reading a .env file: %w", err)
	}
	if text.Len() > maxSize {
		return nil, source.Errorf(source.CodeDotenvInvalid, ".env file %q is larger than %d MiB", path, maxSize>>20)
	}
	return text.Bytes(), nil
}

// Parse returns the values in a .env file's text by name, and the sorted names
// in whose values a "$" was expanded. An error is a [*SyntaxError].
func Parse(data []byte) (values map[string]source.Value, expanded []string, err error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, nil, &SyntaxError{lineAt(data, i), "a NUL byte (a .env file is UTF-8)"}
	}
	statements, err := scan(data)
	if err != nil {
		return nil, nil, err
	}
	// As scan did, godotenv takes the "\r" from "\r\n": what is left of them is a value's.
	text := strings.ReplaceAll(strings.Join(statements, "\n"), "\r\n", "\r\r\n")
	plain, err := godotenv.Unmarshal(text)
	if err != nil {
		// scan finds whatever godotenv refuses, with its line.
		return nil, nil, &SyntaxError{1, "not what godotenv reads"}
	}
	values = make(map[string]source.Value, len(plain))
	for name, value := range plain {
		values[name] = source.NewValue(value)
	}
	return values, expandedIn(text, plain), nil
}

// expandedIn returns the names whose values differ from two readings in which
// "$" means nothing: with `\$` as it is, as single quotes have it, and with `\$`
// for a "$", as elsewhere. NUL, which occurs nowhere, stands for the "$".
func expandedIn(text string, plain map[string]string) []string {
	if !strings.Contains(text, "$") {
		return nil
	}
	// Errors leave names out, which then are reported.
	literal, _ := godotenv.Unmarshal(strings.ReplaceAll(text, "$", "\x00"))
	unescaped, _ := godotenv.Unmarshal(strings.NewReplacer(`\$`, "\x00", "$", "\x00").Replace(text))
	var names []string
	for name, value := range plain {
		protected := strings.ReplaceAll(value, "$", "\x00")
		if literal[name] != protected && unescaped[name] != protected {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
