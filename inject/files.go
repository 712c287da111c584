package inject

import (
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Files says which variables of the layers a child finds in files. The zero
// Files are none.
type Files struct {
	Each []FileSpec
	// All has a Path when those variables that Each does not name are to be in one
	// file, as Render writes them. Its Name is empty.
	All    FileSpec
	Render func(vars iter.Seq2[string, string]) ([]byte, error) // name, value; in the order of the names

	Keep    bool // the child gets them as variables too
	Replace bool // a file that is there already, and that was not put there for a child, is replaced
}

// A FileSpec is where a variable's value is put.
type FileSpec struct {
	Name string      // as the child would see it
	Path string      // absolute
	Mode fs.FileMode // permissions, 0400 to 0644 without execution
}

// A File is what a child finds at a path. It is immutable.
type File struct {
	FileSpec
	content Var
	replace bool
}

// defaultMode lets the owner read, as programs that look after keys demand it.
const defaultMode fs.FileMode = 0o600

// ParseFiles reads "NAME=PATH[:MODE]" for Files.Each and "PATH[:MODE]" for
// Files.All, which is none when all is empty. A relative path is one below the
// working directory, MODE is octal. No name and no path may come twice.
func ParseFiles(each []string, all string) (Files, error) {
	var files Files
	names, paths := make(map[string]bool), make(map[string]bool)
	for _, text := range each {
		name, place, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return Files{}, fmt.Errorf("%q is not NAME=PATH[:MODE]", text)
		}
		spec, err := parsePlace(place)
		if err != nil {
			return Files{}, err
		}
		if spec.Name = name; names[name] {
			return Files{}, fmt.Errorf("two files for %q", name)
		}
		if paths[spec.Path] {
			return Files{}, fmt.Errorf("two secrets for the file %q", spec.Path)
		}
		names[name], paths[spec.Path] = true, true
		files.Each = append(files.Each, spec)
	}
	if all == "" {
		return files, nil
	}
	var err error
	if files.All, err = parsePlace(all); err == nil && paths[files.All.Path] {
		err = fmt.Errorf("two secrets for the file %q", files.All.Path)
	}
	return files, err
}

// parsePlace reads PATH[:MODE]. What follows the last colon is a mode, unless it
// is more than a name.
func parsePlace(text string) (FileSpec, error) {
	spec := FileSpec{Mode: defaultMode}
	path := text
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 && !strings.ContainsFunc(text[colon:], isSeparator) {
		path = text[:colon]
		mode, err := strconv.ParseUint(text[colon+1:], 8, 32)
		spec.Mode = fs.FileMode(mode)
		if err != nil || spec.Mode&^0o644 != 0 || spec.Mode&0o400 == 0 {
			return FileSpec{}, fmt.Errorf("mode %q of %q is not octal between 0400 and 0644, without execution", text[colon+1:], path)
		}
	}
	if path == "" || isSeparator(rune(path[len(path)-1])) {
		return FileSpec{}, fmt.Errorf("%q is not the path of a file", path)
	}
	var err error
	spec.Path, err = filepath.Abs(path)
	return spec, err
}

func isSeparator(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }

// toFile tells whether the variable is written to a file, and whether that is
// one of its own.
func (f Files) toFile(name string) (file, own bool) {
	own = slices.ContainsFunc(f.Each, func(spec FileSpec) bool { return spec.Name == name })
	return own || f.All.Path != "", own
}

// writeFiles makes the files of what was set aside for them, and NAME_FILE for each
// variable that has one of its own.
func (b *builder) writeFiles(env *Env, layers int) error {
	files := b.policy.Files
	if files.All.Path != "" && layers == 0 {
		return errorf(CodeNoSecret, "there are no secrets to write to %q", files.All.Path)
	}
	for _, spec := range files.Each {
		secret, ok := b.own[spec.Name]
		if !ok {
			return errorf(CodeNoSecret, "there is no secret %q to write to %q", spec.Name, spec.Path)
		}
		env.files = append(env.files, File{spec, secret, files.Replace})
		b.inFile(env, secret)
		name := spec.Name + "_FILE"
		if e, ok := b.entries[name]; !ok || !e.layered && !b.preserved(name) {
			b.entries[name] = entry{Var: NewVar(name, spec.Path)}
		}
	}
	if files.All.Path == "" {
		return nil
	}
	names := slices.Sorted(maps.Keys(b.rest))
	text, err := files.Render(func(yield func(name, value string) bool) {
		for _, name := range names {
			if !yield(name, b.rest[name].Reveal()) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	env.files = append(env.files, File{files.All, NewVar("", string(text)), files.Replace})
	for _, name := range names {
		b.inFile(env, b.rest[name])
	}
	return nil
}

// inFile has the environment know of a secret that is in a file. Programs that
// take both NAME and NAME_FILE refuse to be given both, so an inherited variable
// of the name goes.
func (b *builder) inFile(env *Env, secret Var) {
	e := b.entries[secret.name]
	if e.layered {
		return // Files.Keep
	}
	env.filed = append(env.filed, entry{Var: secret, layered: true})
	if !b.preserved(secret.name) {
		delete(b.entries, secret.name)
	}
}
