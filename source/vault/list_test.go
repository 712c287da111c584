package vault

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// listed returns contents with a value of each kind, all of them canaries.
func listed() Contents {
	secret := func(name, path string, version int) source.Secret {
		return source.Secret{
			Name: name, Value: source.NewValue(canary + name), Version: version,
			Place: source.Place{Project: "p1", Environment: "dev", Path: path},
		}
	}
	imported := secret("IMPORTED", "/lib", 2)
	imported.Imported = true
	var c Contents
	c.ApplyPull(source.NewSet(secret("BOTH", "/app", 7), secret("GONE", "/", 1), secret("DROP", "/", 1)), day(1))
	c.ApplyPull(source.NewSet(secret("BOTH", "/app", 7), imported), day(2))
	c.SetLocal("BOTH", source.NewValue(canary), "set", day(3))
	c.SetLocal("DROP", source.NewValue(canary), "/tmp/a b.env", day(3))
	c.Delete("DROP", day(4))
	return c
}

func TestList(t *testing.T) {
	c := listed()
	dev := func(path string) source.Place {
		return source.Place{Project: "p1", Environment: "dev", Path: path}
	}
	want := []Listed{
		{Name: "BOTH", Kind: KindLocal, Origin: "set", Since: day(3), Previous: true},
		{Name: "BOTH", Kind: KindPulled, Place: dev("/app"), Version: 7, Since: day(1), Previous: true},
		{Name: "DROP", Kind: KindDeleted, Origin: "p1:dev:/", Since: day(4), Previous: true},
		{Name: "DROP", Kind: KindDeleted, Origin: "/tmp/a b.env", Since: day(4), Previous: true},
		{Name: "GONE", Kind: KindOrphan, Place: dev("/"), Version: 1, Since: day(2)},
		{Name: "IMPORTED", Kind: KindPulled, Place: dev("/lib"), Imported: true, Version: 2, Since: day(2)},
	}
	if got := c.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("listed\n%+v, want\n%+v", got, want)
	}
	if got := want[2].Restorable(); !got.Equal(day(34)) || !want[0].Restorable().IsZero() {
		t.Errorf("restorable until %s", got)
	}
	if got := (&Contents{}).List(); got != nil {
		t.Errorf("an empty vault lists %+v", got)
	}
}

// What is listed first of a name is what Get and Restore take.
func TestListOrder(t *testing.T) {
	c := listed()
	c.SetLocal("GONE", source.NewValue("mine"), "set", day(5))
	first := make(map[string]Listed)
	for _, l := range slices.Backward(c.List()) {
		first[l.Name] = l
	}
	for name, want := range map[string]Kind{"BOTH": KindLocal, "GONE": KindLocal, "IMPORTED": KindPulled} {
		if got := first[name].Kind; got != want {
			t.Errorf("%s: %s is listed first, want %s", name, got, want)
		}
	}
	c.Restore("DROP", day(6))
	if got, _ := c.Get("DROP"); first["DROP"].Origin != "p1:dev:/" || got.Reveal() != canary+"DROP" {
		t.Errorf("listed first is what came from %q, restored was another", first["DROP"].Origin)
	}
}

func TestWriteListText(t *testing.T) {
	c := listed()
	c.SetLocal("x\x1b[2J  \xff", source.NewValue(canary), "set", day(5))
	const want = `NAME              ORIGIN                                                VERSION  AGE  PREVIOUS
BOTH              local: set                                            -        2d   yes
BOTH              p1:dev:/app                                           7        4d   yes
DROP              p1:dev:/, deleted, restorable until 2026-04-04        -        24h  yes
DROP              "/tmp/a b.env", deleted, restorable until 2026-04-04  -        24h  yes
GONE              p1:dev:/, orphan since 2026-03-03                     1        3d   -
IMPORTED          import of p1:dev:/lib                                 2        3d   -
"x\x1b[2J  \xff"  local: set                                            -        0s   -
`
	if got := list(t, c, "text"); got != want {
		t.Errorf("text\n%s, want\n%s", got, want)
	}
	if got := list(t, Contents{}, "text"); got != "the vault is empty\n" {
		t.Errorf("an empty vault: %q", got)
	}
	if err := c.WriteList(&strings.Builder{}, "yaml", day(5)); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("a format there is not: %v", err)
	}
}

func TestWriteListJSON(t *testing.T) {
	var got []map[string]any
	if err := json.Unmarshal([]byte(list(t, listed(), "json")), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "BOTH", "kind": "local", "deleted": false, "imported": false, "origin": "set", "since": "2026-03-04T12:00:00Z", "previous": true},
		{"name": "DROP", "kind": "deleted", "deleted": true, "imported": false, "origin": "/tmp/a b.env",
			"since": "2026-03-05T12:00:00Z", "restorable_until": "2026-04-04T12:00:00Z", "previous": true},
		{"name": "IMPORTED", "kind": "pulled", "deleted": false, "imported": true, "version": 2.0, "since": "2026-03-03T12:00:00Z", "previous": false,
			"place": map[string]any{"project": "p1", "environment": "dev", "path": "/lib"}},
	}
	if len(got) != 6 || !reflect.DeepEqual([]map[string]any{got[0], got[3], got[5]}, want) {
		t.Errorf("JSON\n%v, want among it\n%v", got, want)
	}
	if got := list(t, Contents{}, "json"); got != "[]\n" {
		t.Errorf("an empty vault: %q", got)
	}
}

// list returns what WriteList writes, which must hold no value.
func list(t *testing.T, c Contents, format string) string {
	t.Helper()
	var out strings.Builder
	if err := c.WriteList(&out, format, day(5)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"canary", "7f3a"} {
		if strings.Contains(out.String(), part) {
			t.Errorf("%s holds a value:\n%s", format, out.String())
		}
	}
	return out.String()
}

func TestShownAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "-", 0: "0s", 59*time.Second + 999*time.Millisecond: "59s", time.Minute: "1m", 59 * time.Minute: "59m",
		time.Hour: "1h", 47*time.Hour + 59*time.Minute: "47h", 48 * time.Hour: "2d", 720 * time.Hour: "30d",
	} {
		if got := shownAge(start, start.Add(d)); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if got := shownAge(time.Time{}, start); got != "-" {
		t.Errorf("unknown: %q", got)
	}
}
