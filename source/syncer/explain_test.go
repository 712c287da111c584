package syncer_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// explained is a server's place with own, imported and hidden secrets, and the
// .env files that the options name.
func explained(t *testing.T, profile infisicaltest.Profile) *writing {
	t.Helper()
	w := newWriting(t, profile)
	lib := devRoot
	lib.Environment = "prod"
	for _, err := range []error{
		w.SetAll(devRoot, map[string]string{"OWN": canary, "BOTH": canary}),
		w.SetAll(lib, map[string]string{"BOTH": canary, "IMPORTED": canary}),
		w.Import(devRoot, infisicaltest.Import{Environment: "prod"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for _, file := range []struct{ name, text string }{{"1.env", "BOTH=" + canary + "\nFILE=1\n"}, {"2.env", "BOTH=2\n"}} {
		path := filepath.Join(dir, file.name)
		if err := os.WriteFile(path, []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.options.EnvFiles.Paths = append(w.options.EnvFiles.Paths, path)
	}
	w.options.EnvFiles.Named, w.options.EnvFiles.Mode = true, "fallback"
	return w
}

// holders are what holds the name, each as a word: own, import, 1.env, 2.env, local.
func holders(t *testing.T, opt syncer.Options, name string) (words []string, e syncer.Explanation) {
	t.Helper()
	e, err := syncer.New(opt).Explain(t.Context(), name)
	if err != nil {
		return nil, e
	}
	for _, h := range append([]syncer.Holder{e.ComesFrom}, e.Hides...) {
		switch {
		case h.Kind == syncer.KindDotenv:
			words = append(words, filepath.Base(h.File))
		case h.Kind == syncer.KindServer && h.Place == devRoot:
			words = append(words, "own")
		case h.Kind == syncer.KindServer && h.Place.Environment == "prod":
			words = append(words, "import")
		default:
			words = append(words, string(h.Kind))
		}
	}
	return words, e
}

func TestExplain(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := explained(t, profile)
		w.pull(t)
		_, err := vault.Update(t.Context(), w.options.StateDir, w.options.Key, w.options.Known, func(c *vault.Contents) error {
			c.SetLocal("BOTH", source.NewValue(canary), "set", time.Now())
			c.SetLocal("MINE", source.NewValue(canary), "set", time.Now())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.ResetCounts()
		for _, test := range []struct {
			mode, name string
			want       []string
		}{
			{"fallback", "OWN", []string{"own"}},
			{"fallback", "BOTH", []string{"own", "import", "local"}},
			{"fallback", "IMPORTED", []string{"import"}},
			{"fallback", "MINE", []string{"local"}},
			{"fallback", "FILE", nil},
			{"base", "FILE", []string{"1.env"}},
			{"base", "BOTH", []string{"own", "import", "2.env", "1.env", "local"}},
			{"override", "BOTH", []string{"2.env", "1.env", "own", "import", "local"}},
			{"override", "OWN", []string{"own"}},
			{"override", "own", nil},
		} {
			opt := w.options
			opt.EnvFiles.Mode = test.mode
			got, e := holders(t, opt, test.name)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s, %s: held by %q, want %q", test.mode, test.name, got, test.want)
			}
			if imported := test.name == "IMPORTED"; e.ComesFrom.Imported != imported {
				t.Errorf("%s: imported = %v", test.name, e.ComesFrom.Imported)
			}
			if got != nil && (e.From != syncer.FromVault || e.Pulled.IsZero()) {
				t.Errorf("%s: looked up in the %s, pulled %s", test.name, e.From, e.Pulled)
			}
		}
		if n := w.Count(infisicaltest.KindLogin); n != 0 {
			t.Errorf("%d logins, although there is a vault", n)
		}
	})
}

func TestExplainWithoutVault(t *testing.T) {
	w := explained(t, infisicaltest.Current)
	got, e := holders(t, w.options, "BOTH")
	if want := []string{"own", "import"}; !reflect.DeepEqual(got, want) || e.From != syncer.FromServer || e.ComesFrom.Version != 1 {
		t.Errorf("held by %q, want %q: %+v", got, want, e)
	}
	if contents := w.vault(t); contents.Set.Len() != 0 {
		t.Error("what was asked was stored")
	}

	// Nothing is configured: the .env files are all there is.
	opt := w.options
	opt.Client, opt.Known = nil, source.Scope{}
	got, e = holders(t, opt, "BOTH")
	if want := []string{"2.env", "1.env"}; !reflect.DeepEqual(got, want) || e.From != syncer.FromDotenv {
		t.Errorf("held by %q, want %q: %+v", got, want, e)
	}
}

func TestExplainErrors(t *testing.T) {
	w := explained(t, infisicaltest.Current)
	w.pull(t)
	w.Delete(devRoot, "OWN")
	w.pull(t)
	nothing, missing := w.options, w.options
	nothing.Client, nothing.EnvFiles.Paths, nothing.Known, nothing.StateDir = nil, nil, source.Scope{}, t.TempDir()
	missing.EnvFiles.Mode, missing.EnvFiles.Paths = "base", []string{filepath.Join(t.TempDir(), "none")}
	for _, test := range []struct {
		name    string
		options syncer.Options
		code    source.Code
		text    string // empty: any
	}{
		{"NONE", w.options, source.CodeSecretNotFound, `no variable that a child gets is named "NONE"`},
		{"OWN", w.options, source.CodeSecretNotFound,
			`"OWN" is no longer in "` + devRoot.String() + `": the vault holds an orphan of that name, which no child gets`},
		{"OWN", nothing, source.CodeNothingConfigured, ""},
		{"OWN", missing, source.CodeDotenvMissing, ""},
	} {
		_, err := syncer.New(test.options).Explain(t.Context(), test.name)
		if source.CodeOf(err) != test.code || test.text != "" && err.Error() != test.text {
			t.Errorf("%s: %v, want %s %q", test.name, err, test.code, test.text)
		}
	}
	w.options.StateDir = t.TempDir()
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin})
	if _, err := syncer.New(w.options).Explain(t.Context(), "BOTH"); source.CodeOf(err) != source.CodeServerError {
		t.Errorf("no vault and the server down: %v", err)
	}
}

func TestWriteExplanation(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	place := func(path string) source.Place {
		return source.Place{Project: "p", Environment: "dev", Path: path}
	}
	e := syncer.Explanation{
		Name: "DB", From: syncer.FromVault, Pulled: at,
		ComesFrom: syncer.Holder{Kind: syncer.KindServer, Place: place("/app"), Imported: true, Version: 3, Updated: at},
		Hides: []syncer.Holder{
			{Kind: syncer.KindServer, Place: place("/\x1b[2J")},
			{Kind: syncer.KindDotenv, File: "a\nb.env"},
			{Kind: syncer.KindLocal, Origin: "set", Updated: at},
		},
	}
	const text = `DB comes from p:dev:/app, through an import, version 3, updated 2026-03-01T12:00:00Z
  it hides "p:dev:/\x1b[2J"
  it hides the file "a\nb.env"
  it hides a local value of the vault, origin "set", set 2026-03-01T12:00:00Z
  as the vault has it, pulled 2026-03-01T12:00:00Z
`
	if got := writtenBy(t, func(w *bytes.Buffer) error { return e.Write(w, "text") }); got != text {
		t.Errorf("text\n%s, want\n%s", got, text)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(writtenBy(t, func(w *bytes.Buffer) error { return e.Write(w, "json") })), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "DB", "looked_up_in": "vault", "pulled": "2026-03-01T12:00:00Z",
		"comes_from": map[string]any{"kind": "server", "place": map[string]any{"project": "p", "environment": "dev", "path": "/app"},
			"imported": true, "version": 3.0, "updated": "2026-03-01T12:00:00Z"},
		"hides": []any{
			map[string]any{"kind": "server", "place": map[string]any{"project": "p", "environment": "dev", "path": "/\x1b[2J"}},
			map[string]any{"kind": "dotenv", "file": "a\nb.env"},
			map[string]any{"kind": "local", "origin": "set", "updated": "2026-03-01T12:00:00Z"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("JSON\n%v, want\n%v", got, want)
	}

	e = syncer.Explanation{Name: "x\x1b", ComesFrom: syncer.Holder{Kind: syncer.KindLocal, Origin: "set"}}
	const local = `"x\x1b" comes from a local value of the vault, origin "set"
  a child gets it only with --with-local
`
	if got := writtenBy(t, func(w *bytes.Buffer) error { return e.Write(w, "text") }); got != local {
		t.Errorf("text\n%s, want\n%s", got, local)
	}
	if got := writtenBy(t, func(w *bytes.Buffer) error { return e.Write(w, "json") }); !bytes.Contains([]byte(got), []byte(`"hides": [],`)) {
		t.Errorf("JSON\n%s", got)
	}
	if err := e.Write(new(bytes.Buffer), "yaml"); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("a format there is not: %v", err)
	}
}
