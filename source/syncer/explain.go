package syncer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/vault"
)

// A Kind says what holds a value.
type Kind string

// The kinds.
const (
	KindServer Kind = "server" // a place on it
	KindDotenv Kind = "dotenv" // a .env file
	KindLocal  Kind = "local"  // the vault, where it was set
)

// A Holder is where a value of some name is kept. It does not have the value.
type Holder struct {
	Kind     Kind
	Place    source.Place // with KindServer
	Imported bool         // the place asked for imports it; false where it is not known
	File     string       // path, with KindDotenv
	Origin   string       // as in vault.Local, with KindLocal
	Version  int          // the server's; 0: not known
	Updated  time.Time    // UTC: on the server, or when a local value was set; zero: not known
}

// An Explanation says where a variable comes from.
type Explanation struct {
	Name      string
	ComesFrom Holder
	Hides     []Holder  // others of that name, nearest first
	From      From      // where it was looked up: FromServer, FromVault or FromDotenv
	Pulled    time.Time // when the server last confirmed what is said; zero with FromDotenv
}

// Explain tells where the secret of that name comes from: by the vault, whatever
// its age, or when there is none by asking the server, and by the .env files in
// use. Where nothing is configured these are all. Local values of the vault count
// below the others, although a child gets them only with Options.WithLocal. What a
// child's settings leave out, rename or forbid is not told of.
//
// Explain stores nothing. A name that nothing holds is an error with
// source.CodeSecretNotFound; others are those of opening the vault, of pulling and
// of reading the files. It is called instead of Start.
func (s *Syncer) Explain(ctx context.Context, name string) (Explanation, error) {
	contents, err := s.lookInto(ctx)
	if err != nil {
		return Explanation{}, err
	}
	if s.envFilesInUse() {
		if s.current.Dotenv, err = s.loadEnvFiles(ctx, false); err != nil {
			return Explanation{}, err
		}
	}
	held := s.current.holders(name, s.opt.EnvFiles.Mode, contents.Local)
	if len(held) > 0 {
		return Explanation{
			Name: name, ComesFrom: held[0], Hides: held[1:], From: s.current.From, Pulled: s.current.Pulled,
		}, nil
	}
	if orphan, ok := contents.Orphans[name]; ok {
		return Explanation{}, source.Errorf(source.CodeSecretNotFound,
			"%q is no longer in %q: the vault holds an orphan of that name, which no child gets", name, orphan.Secret.Place)
	}
	return Explanation{}, source.Errorf(source.CodeSecretNotFound, "no variable that a child gets is named %q", name)
}

// lookInto makes the current snapshot one to explain by, and returns what else the
// vault holds.
func (s *Syncer) lookInto(ctx context.Context) (vault.Contents, error) {
	if s.opt.Client == nil && s.hasEnvFiles() {
		s.current = Snapshot{From: FromDotenv}
		return vault.Contents{}, nil
	}
	if err := s.openStore(); err != nil {
		return vault.Contents{}, err
	}
	contents, err := s.peekVault()
	switch {
	case err == nil && !contents.Pulled.IsZero():
		s.current = Snapshot{From: FromVault, Secrets: contents.Set, Pulled: contents.Pulled}
		return contents, nil
	case source.CodeOf(err) == source.CodeVaultSeveral:
		return vault.Contents{}, err
	case s.opt.Client == nil:
		return vault.Contents{}, source.Errorf(source.CodeNothingConfigured, "no server is configured, and there is no vault and no .env file: there is nothing to look into")
	}
	set, err := s.ask(ctx)
	if err != nil {
		return vault.Contents{}, err
	}
	s.current = Snapshot{From: FromServer, Secrets: set, Pulled: time.Now().UTC()}
	return contents, nil
}

// holders returns all that hold a value of the name, what a child gets first.
func (s Snapshot) holders(name, mode string, local map[string]vault.Local) []Holder {
	held := make(map[Kind][]Holder)
	if secret, ok := s.Secrets.Get(name); ok {
		held[KindServer] = append(held[KindServer], Holder{
			Kind: KindServer, Place: secret.Place, Imported: secret.Imported, Version: secret.Version, Updated: secret.Updated,
		})
		for _, place := range secret.Hides {
			held[KindServer] = append(held[KindServer], Holder{Kind: KindServer, Place: place})
		}
	}
	if secret, ok := s.Dotenv.Get(name); ok {
		for _, place := range append([]source.Place{secret.Place}, secret.Hides...) {
			held[KindDotenv] = append(held[KindDotenv], Holder{Kind: KindDotenv, File: place.Path})
		}
	}
	if l, ok := local[name]; ok {
		held[KindLocal] = []Holder{{Kind: KindLocal, Origin: l.Origin, Updated: l.Set}}
	}
	var all []Holder
	for _, layer := range slices.Backward(s.Layers(mode)) {
		all = append(all, held[layer.Kind]...)
	}
	return all
}

// Write writes the explanation to w: in format "text" a line for where the variable
// comes from and one for each value it hides, in "json" one object.
func (e Explanation) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		hides := make([]holderJSON, len(e.Hides))
		for i, h := range e.Hides {
			hides[i] = h.asJSON()
		}
		return source.WriteJSON(w, struct {
			Name      string       `json:"name"`
			ComesFrom holderJSON   `json:"comes_from"`
			Hides     []holderJSON `json:"hides"`
			LookedUp  string       `json:"looked_up_in"`
			Pulled    time.Time    `json:"pulled,omitzero"`
		}{e.Name, e.ComesFrom.asJSON(), hides, e.From.String(), e.Pulled})
	case "text":
		_, err := io.WriteString(w, e.text())
		return err
	}
	return source.NoFormat(format, "text", "json")
}

func (e Explanation) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s comes from %s\n", source.Word(e.Name), e.ComesFrom)
	if e.ComesFrom.Kind == KindLocal {
		b.WriteString("  a child gets it only with --with-local\n")
	}
	for _, h := range e.Hides {
		fmt.Fprintf(&b, "  it hides %s\n", h)
	}
	if e.From == FromVault {
		fmt.Fprintf(&b, "  as the vault has it, pulled %s\n", e.Pulled.UTC().Format(time.RFC3339))
	}
	return b.String()
}

// String says in words what holds the value; whatever a name in it holds, it moves
// no terminal's cursor.
func (h Holder) String() string {
	var text string
	changed := "updated"
	switch h.Kind {
	case KindServer:
		text = printable(h.Place.String())
		if h.Imported {
			text += ", through an import"
		}
	case KindDotenv:
		text = fmt.Sprintf("the file %q", h.File)
	case KindLocal:
		text = fmt.Sprintf("a local value of the vault, origin %q", h.Origin)
		changed = "set"
	}
	if h.Version > 0 {
		text += fmt.Sprintf(", version %d", h.Version)
	}
	if !h.Updated.IsZero() {
		text += fmt.Sprintf(", %s %s", changed, h.Updated.UTC().Format(time.RFC3339))
	}
	return text
}

// holderJSON is a Holder as scripts read it: what is not known is left out.
type holderJSON struct {
	Kind     Kind      `json:"kind"`
	Place    placeJSON `json:"place,omitzero"`
	Imported bool      `json:"imported,omitempty"`
	File     string    `json:"file,omitempty"`
	Origin   string    `json:"origin,omitempty"`
	Version  int       `json:"version,omitempty"`
	Updated  time.Time `json:"updated,omitzero"`
}

func (h Holder) asJSON() holderJSON {
	return holderJSON{
		Kind: h.Kind, Place: placeJSON(h.Place), Imported: h.Imported, File: h.File, Origin: h.Origin, Version: h.Version, Updated: h.Updated,
	}
}
