package syncer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// plainSet is a set of names and values.
func plainSet(pairs ...string) source.Set {
	var secrets []source.Secret
	for i := 0; i < len(pairs); i += 2 {
		secrets = append(secrets, source.Secret{Name: pairs[i], Value: source.NewValue(pairs[i+1])})
	}
	return source.NewSet(secrets...)
}

// writtenBy returns what write writes, which must hold no value.
func writtenBy(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("a value was written:\n%s", out.String())
	}
	return out.String()
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name        string
		left, right source.Set
		want        syncer.Difference
	}{
		{"nothing", source.Set{}, source.Set{}, syncer.Difference{}},
		{"equal", plainSet("A", "1", "B", ""), plainSet("A", "1", "B", ""), syncer.Difference{Equal: 2}},
		{"all", plainSet("OLD", "1", "OTHER", "1", "SAME", "1"), plainSet("NEW", "1", "OTHER", "2", "SAME", "1"),
			syncer.Difference{Added: []string{"NEW"}, Removed: []string{"OLD"}, Changed: []string{"OTHER"}, Equal: 1}},
		{"trimmed by the server", plainSet("A", "1", "B", "x y"), plainSet("A", " 1\t", "B", "x  y"),
			syncer.Difference{Changed: []string{"B"}, Equal: 1}},
	} {
		test.want.Left, test.want.Right = "server", "vault"
		got := syncer.Compare("server", test.left, "vault", test.right)
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		if differs := test.want.Equal != test.left.Len() || test.want.Equal != test.right.Len(); got.Differs() != differs {
			t.Errorf("%s: differs = %v, want %v", test.name, got.Differs(), differs)
		}
	}
}

func TestWriteDifference(t *testing.T) {
	d := syncer.Compare("server", plainSet("OLD", canary, "OTHER", canary, "SAME", canary),
		"a\x1b b.env", plainSet("NEW\x1b[2J", canary, "OTHER", canary+"2", "SAME", canary))
	const text = `--- server
+++ "a\x1b b.env"
+ "NEW\x1b[2J"
- OLD
~ OTHER
1 only in "a\x1b b.env", 1 only in server, 1 with other values, 1 equal
`
	if got := writtenBy(t, func(w *bytes.Buffer) error { return d.Write(w, "text") }); got != text {
		t.Errorf("text\n%s, want\n%s", got, text)
	}
	const asJSON = `{
  "left": "server",
  "right": "vault",
  "differs": false,
  "added": [],
  "removed": [],
  "changed": [],
  "equal": 1
}
`
	same := syncer.Compare("server", plainSet("A", canary), "vault", plainSet("A", canary))
	if got := writtenBy(t, func(w *bytes.Buffer) error { return same.Write(w, "json") }); got != asJSON {
		t.Errorf("JSON\n%s, want\n%s", got, asJSON)
	}
	if got := writtenBy(t, func(w *bytes.Buffer) error { return same.Write(w, "text") }); got != "server and vault do not differ: 1 equal\n" {
		t.Errorf("text of no difference: %q", got)
	}
	if err := d.Write(new(bytes.Buffer), "yaml"); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("a format there is not: %v", err)
	}
}

func TestDiff(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		if err := w.SetAll(devRoot, map[string]string{"SAME": "1", "OTHER": "1", "OLD": "1"}); err != nil {
			t.Fatal(err)
		}
		diff := func(files ...string) syncer.Difference {
			t.Helper()
			d, err := syncer.New(w.options).Diff(t.Context(), files)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		w.pull(t)
		if d := diff(); d.Differs() || d.Equal != 3 || d.Left != "server" || d.Right != "vault" {
			t.Errorf("after a pull: %+v", d)
		}

		// A local value counts as it will after a push, an orphan does not.
		w.Delete(devRoot, "OLD")
		w.pull(t)
		_, err := vault.Update(t.Context(), w.options.StateDir, w.options.Key, w.options.Known, func(c *vault.Contents) error {
			c.SetLocal("NEW", source.NewValue("1"), "set", time.Now())
			c.SetLocal("OTHER", source.NewValue("2"), "set", time.Now())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		before := w.vault(t).Pulled
		want := syncer.Difference{Left: "server", Right: "vault", Added: []string{"NEW"}, Changed: []string{"OTHER"}, Equal: 1}
		if d := diff(); !reflect.DeepEqual(d, want) {
			t.Errorf("with local values: %+v, want %+v", d, want)
		}
		if !w.vault(t).Pulled.Equal(before) {
			t.Error("the comparison stored what it pulled")
		}

		file := filepath.Join(t.TempDir(), "x.env")
		if err := os.WriteFile(file, []byte("SAME=1\nOTHER=' 1 '\nMORE=1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		want = syncer.Difference{Left: "server", Right: file, Added: []string{"MORE"}, Equal: 2}
		if d := diff(file); !reflect.DeepEqual(d, want) {
			t.Errorf("with a file: %+v, want %+v", d, want)
		}
	})
}

func TestDiffErrors(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	if err := w.Set(devRoot, "A", "1"); err != nil {
		t.Fatal(err)
	}
	noServer, noKey := w.options, w.options
	noServer.Client, noKey.Key = nil, vault.Key{}
	for _, test := range []struct {
		name    string
		options syncer.Options
		files   []string
		want    source.Code
	}{
		{"two files", w.options, []string{"a", "b"}, source.CodeUsage},
		{"no server", noServer, nil, source.CodeNothingConfigured},
		{"no such file", w.options, []string{filepath.Join(t.TempDir(), "none")}, source.CodeDotenvMissing},
		{"no vault", w.options, nil, source.CodeVaultMissing},
		{"no key", noKey, nil, source.CodeVaultNoKey},
	} {
		d, err := syncer.New(test.options).Diff(t.Context(), test.files)
		if source.CodeOf(err) != test.want || d.Differs() {
			t.Errorf("%s: %+v, %v, want code %s", test.name, d, err, test.want)
		}
	}
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin})
	if _, err := syncer.New(w.options).Diff(t.Context(), nil); source.CodeOf(err) != source.CodeServerError {
		t.Errorf("server down: %v", err)
	}
}
