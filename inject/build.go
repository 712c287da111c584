package inject

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// An Origin tells who wrote a layer's variables, which decides how much they
// may do.
type Origin int

const (
	Server Origin = iota // secrets of a server, or of a vault that was filled from one
	Dotenv               // a .env file that the user wrote
	Local                // values that the user put into the vault
)

// A Layer is variables of one origin. Of several with one name the last counts.
type Layer struct {
	Origin Origin
	Vars   []Var
}

// A Policy says what of the layers a child gets, and who wins when a variable is
// inherited as well. The zero Policy gives everything, and layers win.
//
// For each variable of a layer the order is: Only and Except are matched with
// its original name; then Rename gives it another name, or, when Rename does not
// list it, Prefix is put in front; then that name is judged (withheld, refused,
// allowed) and compared with the inherited ones. A variable that has a file of
// its own in Files is not judged: in a file it means nothing to a loader.
type Policy struct {
	Preserve      bool     // inherited variables win over all layers
	PreserveNames []string // inherited variables that win; kept by Pristine too
	Pristine      bool     // of the inherited only PATH, HOME, USER, TERM, TZ, LANG
	Only          []string // globs as in path.Match; empty: all
	Except        []string // globs; beats Only
	Prefix        string
	Rename        map[string]string // original name → name for the child
	Allow         []string          // names for the child that are neither withheld nor refused
	Strip         []string          // inherited names that are taken out: credentials
	Keep          bool              // leaves what Strip names
	Extra         []Var             // added above everything and not counted by the digest
	Files         Files             // what is given in files
}

// A Warning is something that the user should know and that stops nothing.
type Warning struct {
	Code  string
	Names []string // as the child would see them
	Text  string
}

// The codes of warnings.
const (
	WarnWithheld = "names-withheld"  // left out: the names are not for secrets
	WarnOption   = "options-passed"  // interpreter options from a .env or local values
	WarnRenamed  = "renamed-clashes" // two variables of one layer got one name
)

// String returns the text.
func (w Warning) String() string { return w.Text }

// Build makes a child's environment: the inherited entries, then the layers from
// the lowest to the highest, each winning over what is below it.
//
// Inherited entries are passed on byte for byte. Of two with one name the first
// counts, as for getenv(3). One without "=" has no value that could be looked
// up; it is passed on as it is, as execve does, unless a layer sets its name.
// An empty entry is dropped.
//
// A variable that Files has written to a file is left out, also when it was
// inherited and is not preserved. NAME_FILE says where it is, unless a layer or a
// preserved variable says otherwise.
//
// Build returns an *[Error] and nothing else when a name or a value cannot be in
// an environment ([CodeEnvName], [CodeEnvValue], [CodeEnvTooLarge]), when a glob
// is malformed or Only and Except leave nothing ([CodeEnvPattern], since no program
// is meant to start without secrets), when a server sets interpreter options
// ([CodeNameRefused]) or when no layer has a secret that is to be renamed or
// written to a file ([CodeNoSecret]).
// An error of Files.Render is returned as it is.
func Build(inherited []string, layers []Layer, p Policy) (Env, []Warning, error) {
	b := newBuilder(p)
	b.inherit(inherited)
	for _, layer := range layers {
		if err := b.add(layer); err != nil {
			return Env{}, nil, err
		}
	}
	if len(b.refused) > 0 {
		return Env{}, nil, b.refusal()
	}
	if b.offered > 0 && b.taken == 0 {
		return Env{}, nil, errorf(CodeEnvPattern, "--only and --except leave none of the %d secrets", b.offered)
	}
	if err := checkRename(p.Rename, layers); err != nil {
		return Env{}, nil, err
	}
	var env Env
	if err := b.writeFiles(&env, len(layers)); err != nil {
		return Env{}, nil, err
	}
	for _, v := range p.Extra {
		b.entries[v.name] = entry{Var: v}
	}
	names := slices.Sorted(maps.Keys(b.entries))
	env.entries = make([]entry, 0, len(names))
	for _, name := range names {
		env.entries = append(env.entries, b.entries[name])
	}
	return env, b.warnings(), nil
}

type builder struct {
	policy    Policy
	entries   map[string]entry // name → what the child gets
	inherited map[string]bool  // names that were inherited and not taken out
	own       map[string]Var   // name → what is written to a file of its own
	rest      map[string]Var   // name → what is written to the file for all others
	withheld  []string
	passed    []string // interpreter options that were let through
	refused   []refusal
	clashes   []string
	offered   int // variables of the layers
	taken     int // of them, those that Only and Except let through
}

func newBuilder(p Policy) *builder {
	return &builder{policy: p, entries: make(map[string]entry), inherited: make(map[string]bool),
		own: make(map[string]Var), rest: make(map[string]Var)}
}

type refusal struct{ name, original string }

func (b *builder) inherit(inherited []string) {
	for _, s := range inherited {
		e := inheritedEntry(s)
		switch {
		case e.name == "" || b.inherited[e.name]:
		case !b.policy.Keep && slices.Contains(b.policy.Strip, e.name):
		case b.policy.Pristine && !slices.Contains(pristineNames(), e.name) && !slices.Contains(b.policy.PreserveNames, e.name):
		default:
			b.inherited[e.name] = true
			b.entries[e.name] = e
		}
	}
}

func (b *builder) add(layer Layer) error {
	origins := make(map[string]string) // name for the child → original name, in this layer
	for _, v := range layer.Vars {
		chosen, err := b.chosen(v.name)
		if err != nil {
			return err
		}
		b.offered++
		if !chosen {
			continue
		}
		b.taken++
		name := b.rename(v.name)
		if original, ok := origins[name]; ok && original != v.name {
			b.clashes = append(b.clashes, name)
		}
		origins[name] = v.name
		if err := b.give(layer.Origin, Var{name: name, value: v.value}, v.name); err != nil {
			return err
		}
	}
	return nil
}

// give lets the child have a variable of a layer, or a file of it.
func (b *builder) give(origin Origin, v Var, original string) error {
	file, own := b.policy.Files.toFile(v.name)
	if own {
		b.own[v.name] = v
		if !b.policy.Files.Keep {
			return nil
		}
	}
	if !b.admit(origin, v.name, original) {
		return nil
	}
	if file && !own {
		b.rest[v.name] = v
	}
	if file && !b.policy.Files.Keep || b.preserved(v.name) {
		return nil
	}
	if err := checkVar(v.name, v.Reveal()); err != nil {
		return err
	}
	b.entries[v.name] = entry{Var: v, layered: true}
	return nil
}

// preserved tells whether an inherited variable wins over the layers.
func (b *builder) preserved(name string) bool {
	return b.inherited[name] && (b.policy.Preserve || slices.Contains(b.policy.PreserveNames, name))
}

// chosen tells whether Only and Except let the original name through.
func (b *builder) chosen(name string) (bool, error) {
	only, err := matchesAny(b.policy.Only, name)
	if err != nil {
		return false, err
	}
	except, err := matchesAny(b.policy.Except, name)
	if err != nil {
		return false, err
	}
	return (only || len(b.policy.Only) == 0) && !except, nil
}

func matchesAny(globs []string, name string) (bool, error) {
	for _, glob := range globs {
		ok, err := path.Match(glob, name)
		if err != nil {
			return false, errorf(CodeEnvPattern, "pattern %q is not a glob", glob)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

func (b *builder) rename(name string) string {
	if renamed, ok := b.policy.Rename[name]; ok {
		return renamed
	}
	return b.policy.Prefix + name
}

// checkRename refuses a rename of what no layer has: the child would start without
// the name that it was promised.
func checkRename(rename map[string]string, layers []Layer) error {
	for _, original := range slices.Sorted(maps.Keys(rename)) {
		has := func(l Layer) bool {
			return slices.ContainsFunc(l.Vars, func(v Var) bool { return v.name == original })
		}
		if !slices.ContainsFunc(layers, has) {
			return errorf(CodeNoSecret, "there is no secret %q to rename to %q", original, rename[original])
		}
	}
	return nil
}

// admit tells whether a layer of that origin may set the name, and notes what
// is to be said about it.
func (b *builder) admit(origin Origin, name, original string) bool {
	if slices.Contains(b.policy.Allow, name) {
		return true
	}
	switch kindOf(name) {
	case nameWithheld:
		b.withheld = append(b.withheld, name)
		return false
	case nameOption:
		if origin == Server {
			b.refused = append(b.refused, refusal{name, original})
			return false
		}
		b.passed = append(b.passed, name)
	}
	return true
}

func (b *builder) refusal() error {
	var names, allow, except []string
	for _, r := range b.refused {
		names = append(names, printable(r.name))
		allow = append(allow, "--allow "+printable(r.name))
		except = append(except, "--except "+printable(r.original))
	}
	return errorf(CodeNameRefused,
		"the server sets %s, by which it could run code of its own in the child: pass it with %s, or leave it out with %s",
		enumerate(names, ", "), enumerate(allow, " "), enumerate(except, " "))
}

func (b *builder) warnings() []Warning {
	var out []Warning
	warn := func(code string, names []string, format string) {
		if len(names) > 0 {
			slices.Sort(names)
			names = slices.Compact(names)
			out = append(out, Warning{Code: code, Names: names, Text: fmt.Sprintf(format, printableList(names))})
		}
	}
	warn(WarnWithheld, b.withheld, "left out, since a secret may not set them: %s")
	warn(WarnOption, b.passed, "passed on, although they change what an interpreter runs: %s")
	warn(WarnRenamed, b.clashes, "set by two variables after renaming, the later one counts: %s")
	return out
}

// checkVar tells whether an environment can hold the variable.
func checkVar(name, value string) error {
	switch {
	case name == "":
		return errorf(CodeEnvName, "a secret has an empty name")
	case strings.ContainsAny(name, "=\x00"):
		return errorf(CodeEnvName, "secret %q: a variable's name holds neither \"=\" nor NUL", name)
	case strings.Contains(value, "\x00"):
		return errorf(CodeEnvValue, "secret %q: its value holds a NUL, which no variable can", name)
	}
	size := entry{Var: NewVar(name, value)}.size()
	if limit := maxEntrySize(); limit > 0 && size > limit {
		return errorf(CodeEnvTooLarge, "secret %q: %d bytes with its name are above the system's limit of %d for one variable",
			name, size, limit)
	}
	return nil
}
