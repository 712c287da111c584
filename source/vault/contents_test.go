package vault

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"infisync/source"
)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

// kept is what the test of contents compares: name → value, "" for none.
type kept struct {
	set, previous, orphans, local map[string]string
	deleted                       []string // NAME=VALUE
}

func keptIn(c Contents) kept {
	k := kept{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, nil}
	for secret := range c.Set.All() {
		k.set[secret.Name] = secret.Value.Reveal()
	}
	for name, p := range c.Previous {
		k.previous[name] = p.Value.Reveal()
	}
	for name, o := range c.Orphans {
		k.orphans[name] = o.Secret.Value.Reveal()
	}
	for name, l := range c.Local {
		k.local[name] = l.Value.Reveal()
	}
	for _, d := range c.Deleted {
		k.deleted = append(k.deleted, d.Name+"="+d.Value.Reveal())
	}
	return k
}

func values(pairs ...string) map[string]string {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func check(t *testing.T, c Contents, want kept) {
	t.Helper()
	opts := cmp.Options{cmp.AllowUnexported(kept{}), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, keptIn(c), opts); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

func TestApplyPull(t *testing.T) {
	var c Contents
	changes := c.ApplyPull(set("A", "1", "B", "1", "C", "1"), day(1))
	if want := (Changes{New: []string{"A", "B", "C"}}); !reflect.DeepEqual(changes, want) {
		t.Errorf("first pull: %+v, want %+v", changes, want)
	}
	changes = c.ApplyPull(set("A", "1", "B", "2", "D", "1"), day(2))
	if want := (Changes{New: []string{"D"}, Changed: []string{"B"}, Gone: []string{"C"}, Unchanged: 1}); !reflect.DeepEqual(changes, want) {
		t.Errorf("second pull: %+v, want %+v", changes, want)
	}
	check(t, c, kept{
		set: values("A", "1", "B", "2", "D", "1"), previous: values("B", "1"), orphans: values("C", "1"),
	})
	if want := map[string]time.Time{"A": day(1), "B": day(2), "D": day(2)}; !reflect.DeepEqual(c.Synced, want) {
		t.Errorf("synced %v, want %v", c.Synced, want)
	}
	if !c.Pulled.Equal(day(2)) || !c.Previous["B"].Replaced.Equal(day(2)) || !c.Orphans["C"].Since.Equal(day(2)) {
		t.Errorf("times are not those of the pull: %+v", c)
	}

	changes = c.ApplyPull(set("A", "1", "B", "2", "C", "3", "D", "1"), day(3))
	if want := (Changes{New: []string{"C"}, Unchanged: 3}); !reflect.DeepEqual(changes, want) {
		t.Errorf("third pull: %+v, want %+v", changes, want)
	}
	check(t, c, kept{
		set: values("A", "1", "B", "2", "C", "3", "D", "1"), previous: values("B", "1", "C", "1"),
	})
	if changes = c.ApplyPull(c.Set, day(4)); !reflect.DeepEqual(changes, Changes{Unchanged: 4}) || !c.Pulled.Equal(day(4)) {
		t.Errorf("the same again: %+v, pulled %v", changes, c.Pulled)
	}
}

func TestApplyPullAndLocalValues(t *testing.T) {
	var c Contents
	c.ApplyPull(set("SAME", "1", "EDITED", "1"), day(1))
	c.SetLocal("EDITED", source.NewValue("mine"), "set", day(2))
	c.SetLocal("NEW", source.NewValue("mine"), "set", day(2))
	c.SetLocal("NEW", source.NewValue("better"), "set", day(2))
	c.SetLocal("ONLY", source.NewValue("here"), "set", day(2))
	check(t, c, kept{
		set: values("SAME", "1", "EDITED", "1"), local: values("EDITED", "mine", "NEW", "better", "ONLY", "here"),
		previous: values("EDITED", "1", "NEW", "mine"),
	})

	// The server's values are as they were: what waits for a push stays.
	c.ApplyPull(set("SAME", "1", "EDITED", "1"), day(3))
	check(t, c, kept{
		set: values("SAME", "1", "EDITED", "1"), local: values("EDITED", "mine", "NEW", "better", "ONLY", "here"),
		previous: values("EDITED", "1", "NEW", "mine"),
	})

	// NEW was pushed, EDITED was changed by somebody else.
	c.ApplyPull(set("SAME", "1", "EDITED", "theirs", "NEW", "better"), day(4))
	check(t, c, kept{
		set: values("SAME", "1", "EDITED", "theirs", "NEW", "better"), local: values("ONLY", "here"),
		previous: values("EDITED", "mine", "NEW", "mine"),
	})
}

func TestDeleteAndRestore(t *testing.T) {
	var c Contents
	c.ApplyPull(set("A", "1", "B", "1", "GONE", "1"), day(1))
	c.ApplyPull(set("A", "1", "B", "1"), day(2))
	c.SetLocal("A", source.NewValue("mine"), "set", day(3))

	for _, name := range []string{"A", "GONE"} {
		if !c.Delete(name, day(4)) {
			t.Errorf("nothing to delete under %s", name)
		}
	}
	if c.Delete("A", day(4)) || c.Delete("NONE", day(4)) {
		t.Error("deleted what is not there")
	}
	check(t, c, kept{set: values("B", "1"), previous: values("A", "1"), deleted: []string{"A=mine", "A=1", "GONE=1"}})
	if _, ok := c.Synced["A"]; ok {
		t.Error("a deleted secret still has a time of its sync")
	}

	// The pulled value comes back first, then the local one.
	for _, want := range []string{"1", "mine"} {
		if !c.Restore("A", day(5)) {
			t.Fatal("nothing to restore")
		}
		if got, ok := c.Get("A"); !ok || got.Reveal() != want {
			t.Errorf("restored %q, want %q", got.Reveal(), want)
		}
	}
	if c.Restore("A", day(5)) || c.Restore("NONE", day(5)) {
		t.Error("restored what was not deleted")
	}
	check(t, c, kept{set: values("B", "1"), previous: values("A", "1"), local: values("A", "mine"), deleted: []string{"GONE=1"}})
	if c.Local["A"].Origin != "restored" {
		t.Errorf("origin %q", c.Local["A"].Origin)
	}
}

func TestDeleteOrphans(t *testing.T) {
	for _, test := range []struct {
		all  bool
		want []string
		kept kept
	}{
		{false, []string{"GONE", "GONE2"}, kept{
			set: values("A", "1"), local: values("A", "mine", "GONE", "mine", "ONLY", "1"), previous: values("A", "1", "GONE", "1"),
			deleted: []string{"GONE=1", "GONE2=1"}}},
		{true, []string{"GONE", "GONE2", "ONLY"}, kept{
			set: values("A", "1"), local: values("A", "mine"), previous: values("A", "1", "GONE", "1"),
			deleted: []string{"GONE=mine", "GONE=1", "GONE2=1", "ONLY=1"}}},
	} {
		t.Run(fmt.Sprint(test.all), func(t *testing.T) {
			var c Contents
			c.ApplyPull(set("A", "1", "GONE", "1", "GONE2", "1"), day(1))
			c.ApplyPull(set("A", "1"), day(2))
			for _, name := range []string{"A", "GONE"} {
				c.SetLocal(name, source.NewValue("mine"), "set", day(3))
			}
			c.SetLocal("ONLY", source.NewValue("1"), "set", day(3))
			if got := c.DeleteOrphans(test.all, day(4)); !slices.Equal(got, test.want) {
				t.Errorf("deleted %q, want %q", got, test.want)
			}
			check(t, c, test.kept)
			if got := c.DeleteOrphans(test.all, day(4)); got != nil {
				t.Errorf("deleted %q a second time", got)
			}
		})
	}
}

func TestExpire(t *testing.T) {
	var c Contents
	c.SetLocal("OLD", source.NewValue("1"), "set", day(0))
	c.SetLocal("OLD", source.NewValue("2"), "set", day(0))
	c.SetLocal("KEPT", source.NewValue("1"), "set", day(0))
	c.SetLocal("KEPT", source.NewValue("2"), "set", day(0))
	c.Delete("OLD", day(0))
	c.expire(day(30))
	check(t, c, kept{local: values("KEPT", "2"), previous: values("KEPT", "1", "OLD", "1"), deleted: []string{"OLD=2"}})
	c.expire(day(30).Add(1))
	check(t, c, kept{local: values("KEPT", "2"), previous: values("KEPT", "1")})
}

func TestContentsPrintNoValue(t *testing.T) {
	c := full(scopeA)
	hidden := struct {
		c Contents
		p *Contents
		m map[string]Contents
	}{c, &c, map[string]Contents{"x": c}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, hidden)
		if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) {
			t.Errorf("%s prints a value", verb)
		}
	}
}
