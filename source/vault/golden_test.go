package vault

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infisync/source"
)

// goldenFile was written in format 1 and is never written again: every release
// must read it. goldenV1 is what it holds.
const goldenFile = "testdata/v1.age"

func goldenKey(t testing.TB) Key {
	t.Helper()
	text, err := os.ReadFile("testdata/v1.key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(source.NewValue(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func goldenV1() Contents {
	at := func(day int) time.Time { return time.Date(2026, 1, day, 3, 4, 5, 600700800, time.UTC) }
	app := source.Place{Project: "6f0b", Environment: "dev", Path: "/app"}
	shared := source.Place{Project: "6f0b", Environment: "dev", Path: "/shared"}
	gone := source.Secret{Name: "GONE", Value: source.NewValue("was here"), Place: app, Version: 2, Updated: at(1)}
	return Contents{
		Scope: source.Scope{
			URL: "https://vault.example/api", Method: "universal-auth", Identity: "b1e2",
			Places: []source.Place{app, shared}, Recursive: true, Imports: true, Expand: true,
		},
		Pulled: at(9),
		Set: source.NewSet(
			source.Secret{Name: "DB", Value: source.NewValue(canary), Place: app, Version: 3, Updated: at(2), Hides: []source.Place{shared}},
			source.Secret{Name: "EMPTY", Place: app},
			source.Secret{Name: "IMPORTED", Value: source.NewValue("<&>\u2028 🙂"), Place: shared, Version: 1, Updated: at(3), Imported: true},
		),
		Synced:   map[string]time.Time{"DB": at(5), "EMPTY": at(4), "IMPORTED": at(4)},
		Previous: map[string]Previous{"DB": {source.NewValue("bytes \xff\xfe"), at(5)}},
		Orphans:  map[string]Orphan{"GONE": {gone, at(6)}},
		Local:    map[string]Local{"caf\xe9": {source.NewValue("\xff\x00"), "/tmp/\xff.env", at(7)}},
		Deleted:  []Deleted{{"B", source.NewValue("2"), app.String(), at(7)}, {"A", source.NewValue("1"), "set", at(8)}},
	}
}

func TestGolden(t *testing.T) {
	want := goldenV1()
	got, err := Open(goldenFile, goldenKey(t), want.Scope)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameContents); diff != "" {
		t.Errorf("opened (-sealed +opened):\n%s", diff)
	}
}

// Whatever happens to a byte of the file, and wherever it is cut, it does not
// open, and nothing of it gets out.
func TestGoldenAltered(t *testing.T) {
	golden, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	key, scope := goldenKey(t), goldenV1().Scope
	path := filepath.Join(t.TempDir(), "altered.age")
	refused := func(what string, altered []byte) {
		t.Helper()
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path, key, scope)
		if source.CodeOf(err) != source.CodeVaultKey || !reflect.DeepEqual(got, Contents{}) {
			t.Fatalf("%s: error %v, %d secrets", what, err, got.Set.Len())
		}
		if want := fmt.Sprintf("vault %q: wrong key or damaged file", path); err.Error() != want || errors.Unwrap(err) != nil {
			t.Fatalf("%s: error %q wraps %v, want %q alone", what, err, errors.Unwrap(err), want)
		}
	}
	for i := range golden {
		altered := bytes.Clone(golden)
		altered[i] ^= 1 << (i % 8)
		refused(fmt.Sprintf("byte %d altered", i), altered)
		refused(fmt.Sprintf("cut to %d bytes", i), golden[:i])
	}
	refused("one byte more", append(bytes.Clone(golden), 0))
	refused("twice", append(bytes.Clone(golden), golden...))
	refused("without its first line", golden[bytes.IndexByte(golden, '\n')+1:])
}

// Whatever bytes names, values and origins are of, they come back.
func TestFormatRoundTrip(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	text := func() string {
		bytes := make([]byte, random.Uint64()%12)
		random.Read(bytes)
		return string(bytes)
	}
	for i := 0; i < 500 && !t.Failed(); i++ {
		value := source.NewValue(text())
		place := source.Place{Project: text(), Environment: text(), Path: text()}
		secret := source.Secret{Name: text(), Value: value, Place: place, Hides: []source.Place{place, {}}}
		sameAgain(t, Contents{
			Scope:    source.Scope{URL: text(), Method: text(), Identity: text(), Places: []source.Place{place}},
			Set:      source.NewSet(secret, source.Secret{Name: text()}),
			Previous: map[string]Previous{text(): {value, start}},
			Orphans:  map[string]Orphan{secret.Name: {secret, start}},
			Local:    map[string]Local{text(): {value, text(), start}},
			Deleted:  []Deleted{{text(), value, text(), start}, {text(), value, text(), start}},
		})
	}
}

// A payload that its key sealed and that is not what encode writes is refused
// too, with the text of a damaged file: the decoder's own errors quote it.
func TestOpenForeignPayload(t *testing.T) {
	key := testKey(t, "k")
	good, err := encode(full(scopeA))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, payload string
		want          source.Code
	}{
		{"empty", "", source.CodeVaultKey},
		{"not JSON", canary, source.CodeVaultKey},
		{"no object", `"` + "canary" + `"`, source.CodeVaultKey},
		{"cut", string(good[:len(good)-2]), source.CodeVaultKey},
		{"more after it", string(good) + "canary", source.CodeVaultKey},
		{"no format", strings.Replace(string(good), `"format":1,`, "", 1), source.CodeVaultKey},
		{"format 0", strings.Replace(string(good), `"format":1,`, `"format":0,`, 1), source.CodeVaultKey},
		{"unknown key", strings.Replace(string(good), `"format":1,`, `"format":1,"canary":1,`, 1), source.CodeVaultKey},
		{"value of another type", strings.Replace(string(good), `"version":3`, `"version":"canary"`, 1), source.CodeVaultKey},
		{"newer format", `{"format":2,"canary":"` + "canary" + `"}`, source.CodeVaultFormat},
	} {
		sealed, err := sealPayload([]byte(test.payload), key)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.age")
		if err := os.WriteFile(path, sealed, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path, key, scopeA)
		if source.CodeOf(err) != test.want || !reflect.DeepEqual(got, Contents{}) {
			t.Errorf("%s: error %v, %d secrets", test.name, err, got.Set.Len())
		}
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), "canary") {
			t.Errorf("%s: the error holds a part of the vault", test.name)
		}
	}
}

// Nothing of a scope or of a secret is left out of what is sealed: a field added
// to either must be added to the format.
func TestFormatIsComplete(t *testing.T) {
	for typ, want := range map[reflect.Type]int{
		reflect.TypeFor[source.Scope]():  reflect.TypeFor[scopeRecord]().NumField(),
		reflect.TypeFor[source.Place]():  reflect.TypeFor[placeRecord]().NumField(),
		reflect.TypeFor[source.Secret](): reflect.TypeFor[secretRecord]().NumField() - 1, // Synced
	} {
		if typ.NumField() != want {
			t.Errorf("%s has %d fields, its record %d", typ, typ.NumField(), want)
		}
	}
}
