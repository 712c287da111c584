package vault

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"infisync/source"
)

func TestRekey(t *testing.T) {
	dir, from, to := t.TempDir(), testKey(t, "f"), testKey(t, "t")
	update(t, dir, from, scopeA, func(c *Contents) {
		c.ApplyPull(set("KEPT", "1", "CHANGED", "1", "GONE", "1"), day(1))
		c.SetLocal("LOCAL", source.NewValue("old"), "set", day(1))
		c.SetLocal("BOTH", source.NewValue("old"), "set", day(1))
		c.SetLocal("DELETED", source.NewValue("old"), "set", day(1))
		c.Delete("DELETED", time.Now())
	})
	update(t, dir, to, scopeA, func(c *Contents) {
		c.ApplyPull(set("KEPT", "1", "CHANGED", "2"), day(2))
		c.SetLocal("BOTH", source.NewValue("new"), "set", day(3))
	})
	if aside, err := Rekey(t.Context(), dir, from, to, scopeA); err != nil || aside != "" {
		t.Fatalf("Rekey = %q, %v", aside, err)
	}
	got, err := Open(Path(dir, to, scopeA), to, scopeA)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got, kept{
		set: values("KEPT", "1", "CHANGED", "2"), previous: values("CHANGED", "1"), orphans: values("GONE", "1"),
		local: values("LOCAL", "old", "BOTH", "new"), deleted: []string{"DELETED=old"},
	})
	if want := map[string]time.Time{"KEPT": day(1), "CHANGED": day(2)}; !reflect.DeepEqual(got.Synced, want) {
		t.Errorf("synced %v, want %v", got.Synced, want)
	}
	if got, want := names(t, filepath.Join(dir, scopeA.Folder())), []string{"vault." + to.ID() + ".age", "vault." + to.ID() + ".local"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if _, err := Rekey(t.Context(), dir, from, to, scopeA); source.CodeOf(err) != source.CodeVaultMissing {
		t.Errorf("a second time: %v", err)
	}
	if _, err := Rekey(t.Context(), dir, to, Key{}, scopeA); source.CodeOf(err) != source.CodeVaultNoKey {
		t.Errorf("to the zero key: %v", err)
	}
}

// The old vault stays for who has only its key, and a second heir finds nothing to add.
func TestInherit(t *testing.T) {
	dir, from, to := t.TempDir(), testKey(t, "f"), testKey(t, "t")
	update(t, dir, from, scopeA, func(c *Contents) {
		c.ApplyPull(set("CHANGED", "1", "GONE", "1"), day(1))
		c.SetLocal("LOCAL", source.NewValue("mine"), "set", day(1))
		for _, name := range []string{"D", "E"} {
			c.SetLocal(name, source.NewValue("old"), "set", day(1))
			c.Delete(name, time.Now().UTC().Truncate(time.Hour))
		}
	})
	before, err := os.ReadFile(Path(dir, from, scopeA))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if aside, err := Inherit(t.Context(), dir, from, to, scopeA); err != nil || aside != "" {
			t.Fatalf("Inherit = %q, %v", aside, err)
		}
		update(t, dir, to, scopeA, func(c *Contents) { c.ApplyPull(set("CHANGED", "2"), day(2)) })
	}
	got, err := Open(Path(dir, to, scopeA), to, scopeA)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got, kept{
		set: values("CHANGED", "2"), previous: values("CHANGED", "1"), orphans: values("GONE", "1"),
		local: values("LOCAL", "mine"), deleted: []string{"D=old", "E=old"},
	})
	if after, err := os.ReadFile(Path(dir, from, scopeA)); err != nil || !slices.Equal(before, after) {
		t.Errorf("the old vault was changed; %v", err)
	}
}

// To a new vault, and to one pulled before the old one was.
func TestRekeyTakesNewerSet(t *testing.T) {
	for _, pulled := range []bool{false, true} {
		dir, from, to := t.TempDir(), testKey(t, "f"), testKey(t, "t")
		if pulled {
			update(t, dir, to, scopeA, func(c *Contents) { c.ApplyPull(set("A", "0"), day(0)) })
		}
		update(t, dir, from, scopeA, func(c *Contents) { c.ApplyPull(set("A", "1", "B", "1"), day(1)) })
		if _, err := Rekey(t.Context(), dir, from, to, scopeA); err != nil {
			t.Fatal(err)
		}
		got, err := Open(Path(dir, to, scopeA), to, scopeA)
		if err != nil || !got.Set.Equal(set("A", "1", "B", "1")) || !got.Pulled.Equal(day(1)) {
			t.Errorf("pulled before: %v: set %v of %v, %v", pulled, got.Set, got.Pulled, err)
		}
	}
}

// One who is added as a reader opens the vault with the stock age command.
func TestRekeyForReader(t *testing.T) {
	command, err := exec.LookPath("age")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	reader, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir, key := t.TempDir(), testKey(t, "k")
	update(t, dir, key, scopeA, func(c *Contents) { *c = full(scopeA) })
	both, err := key.WithRecipients(reader.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rekey(t.Context(), dir, key, both, scopeA); err != nil {
		t.Fatal(err)
	}
	for _, identity := range []string{reader.String(), key.Identity().Reveal()} {
		cmd := exec.Command(command, "-d", "-i", "-", Path(dir, key, scopeA))
		cmd.Stdin = strings.NewReader(identity)
		plain, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(plain)
		if err != nil {
			t.Fatal(err)
		}
		want := full(scopeA)
		want.Deleted[0].At = got.Deleted[0].At
		if diff := cmp.Diff(want, got, sameContents); diff != "" {
			t.Errorf("age gives (-sealed +opened):\n%s", diff)
		}
	}
}
