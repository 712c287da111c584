package infisicaltest

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// compare replays one exchange and compares the answers: status, the headers that
// clients act on, and the whole body. Ids and times need only have the same form,
// but where one id occurs twice in the recorded body it must in ours.
func (r *replay) compare(t *testing.T, name string) {
	e, err := readExchange(name)
	must(t, err)
	got, err := r.send(t, e)
	must(t, err)
	want := e.Response
	if got.status != want.Status {
		t.Fatalf("status %d, want %d; body %.300s", got.status, want.Status, got.text)
	}
	if want.Status == http.StatusNotModified {
		delete(want.Headers, "content-type") // net/http never sends one with a 304
	}
	r.compareHeaders(t, got.header, want.Headers)
	if want.Body == "" || want.Body == nil {
		if got.text != "" {
			t.Errorf("body %.100q, want none", got.text)
		}
		return
	}
	var body any
	if err := json.Unmarshal([]byte(got.text), &body); err != nil {
		t.Fatalf("body %.100q is not JSON", got.text)
	}
	d := &differ{t: t, r: r, ids: make(map[string]string)}
	d.same("", body, want.Body)
}

func (r *replay) compareHeaders(t *testing.T, got http.Header, want map[string]string) {
	for name, value := range want {
		ours := got.Get(name)
		switch strings.ToLower(name) {
		case "content-type", "x-ratelimit-limit", "x-ratelimit-remaining":
			if media, _, _ := strings.Cut(value, ";"); !strings.HasPrefix(ours, media) {
				t.Errorf("%s: %q, want %q", name, ours, value)
			}
		case "retry-after", "x-ratelimit-reset":
			if !matches(`^[1-9][0-9]?$`, ours) {
				t.Errorf("%s: %q, want seconds as in %q", name, ours, value)
			}
		case "etag":
			if !matches(`^"[A-Za-z0-9+/]{27}="$`, ours) {
				t.Errorf("%s: %q, want one like %q", name, ours, value)
			}
			r.tags[value] = ours
		}
	}
	for _, name := range []string{"Retry-After", "X-Ratelimit-Limit"} {
		_, wanted := want[strings.ToLower(name)]
		if got.Get(name) != "" && !wanted {
			t.Errorf("%s: %q, want none", name, got.Get(name))
		}
	}
}

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// A differ reports where two JSON values differ.
type differ struct {
	t   *testing.T
	r   *replay
	ids map[string]string // placeholder in the recorded body → ours
}

func (d *differ) same(path string, got, want any) {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			d.t.Errorf("%s: %v, want an object", path, got)
			return
		}
		keys, wanted := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
		if !slices.Equal(keys, wanted) {
			d.t.Errorf("%s: keys %q, want %q", path, keys, wanted)
		}
		for key := range want {
			d.same(path+"."+key, got[key], want[key])
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			d.t.Errorf("%s: %.300s, want %d entries", path, fmt.Sprint(got), len(want))
			return
		}
		sortSecrets(list)
		sortSecrets(want)
		for i := range want {
			d.same(fmt.Sprintf("%s[%d]", path, i), list[i], want[i])
		}
	case string:
		text, ok := got.(string)
		if !ok || !d.sameText(text, want) {
			d.t.Errorf("%s: %.200q, want %.200q", path, fmt.Sprint(got), want)
		}
	default:
		if got != want {
			d.t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// sortSecrets brings secrets into an order, since the server promises none. Other
// lists stay as they are.
func sortSecrets(list []any) {
	slices.SortStableFunc(list, func(a, b any) int {
		first, ok := a.(map[string]any)
		second, also := b.(map[string]any)
		if !ok || !also || first["secretKey"] == nil {
			return 0
		}
		return cmp.Or(
			strings.Compare(fmt.Sprint(first["secretKey"]), fmt.Sprint(second["secretKey"])),
			strings.Compare(fmt.Sprint(first["secretPath"]), fmt.Sprint(second["secretPath"])),
			strings.Compare(fmt.Sprint(first["type"]), fmt.Sprint(second["type"])),
			strings.Compare(fmt.Sprint(first["secretValue"]), fmt.Sprint(second["secretValue"])),
		)
	})
}

const uuidPattern = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`

func (d *differ) sameText(got, want string) bool {
	switch {
	case strings.HasPrefix(want, "<UUID-") || want == "<ORG_ID>":
		known, met := d.ids[want]
		d.ids[want] = got
		return matches(uuidPattern, got) && (!met || known == got)
	case want == "<ACCESS_TOKEN>":
		return strings.Count(got, ".") == 2
	case matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, want):
		return matches(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, got)
	case strings.HasPrefix(want, "<STRING len="):
		return strings.HasPrefix(want, fmt.Sprintf("<STRING len=%d sha256=%x ", utf8.RuneCountInString(got), sha256.Sum256([]byte(got))))
	}
	return got == d.r.fill(want)
}
