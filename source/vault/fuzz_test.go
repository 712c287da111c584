package vault

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"infisync/source"
)

// FuzzOpen holds Open to this: any file opens to what was sealed, or it is an
// error with a code and nothing beside it. What opens, sealed again, opens to
// the same.
func FuzzOpen(f *testing.F) {
	golden, err := os.ReadFile(goldenFile)
	if err != nil {
		f.Fatal(err)
	}
	key, scope := goldenKey(f), goldenV1().Scope
	f.Add(golden)
	f.Add(golden[:len(golden)/2])
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Add([]byte(nil))
	for _, payload := range payloadSeeds(f) {
		sealed, err := sealPayload(payload, key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	path := filepath.Join(f.TempDir(), "fuzzed.age")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path, key, scope)
		if err != nil {
			switch source.CodeOf(err) {
			case source.CodeVaultKey, source.CodeVaultScope, source.CodeVaultFormat:
			default:
				t.Errorf("error %v", err)
			}
			if !reflect.DeepEqual(got, Contents{}) {
				t.Error("contents beside an error")
			}
			return
		}
		sameAgain(t, got)
	})
}

// FuzzDecode holds decode to the same for what only a holder of the key can
// seal: no panic, and what is decoded is encoded to the same again.
func FuzzDecode(f *testing.F) {
	for _, payload := range payloadSeeds(f) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decode(data)
		byHand, usual := readPayload(data)
		var byLibrary payload
		if refused := strictly(data, &byLibrary); usual && refused != nil {
			t.Errorf("read what the library refuses: %v", refused)
		}
		if diff := cmp.Diff(byLibrary, byHand, cmpopts.EquateEmpty(), cmp.AllowUnexported(orphanRecord{})); usual && diff != "" {
			t.Errorf("read otherwise than by the library (-library +by hand):\n%s", diff)
		}
		if err != nil {
			if !reflect.DeepEqual(got, Contents{}) {
				t.Error("contents beside an error")
			}
			return
		}
		sameAgain(t, got)
	})
}

func payloadSeeds(f *testing.F) [][]byte {
	var seeds [][]byte
	for _, contents := range []Contents{{}, full(scopeA), full(scopeB), goldenV1()} {
		payload, err := encode(contents)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, payload)
	}
	return append(seeds,
		[]byte(`{"format":2}`),
		[]byte(`{"format":1,"scope":{},"secrets":[{"name":"A","value":null},{"name":"A","value":{"base64":"AA=="}}]}`),
		[]byte(`{"format":1,"deleted":[{},{"at":"2026-01-02T03:04:05+01:00"}]}`),
		[]byte(`{"format":1,"scope":{"url":"","method":"","identity":"","places":[],"recursive":false,"imports":false,"expand":false},"secrets":[],}`),
	)
}

func sameAgain(t *testing.T, contents Contents) {
	t.Helper()
	payload, err := encode(contents)
	if err != nil {
		t.Fatalf("encoding what was decoded: %v", err)
	}
	read, usual := readPayload(payload)
	if library, err := json.Marshal(read); !usual || err != nil || !bytes.Equal(library, payload) {
		t.Errorf("wrote %q\nand by the library %q, %v; read by hand: %t", payload, library, err, usual)
	}
	again, err := decode(payload)
	if err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	if diff := cmp.Diff(contents, again, sameContents); diff != "" {
		t.Errorf("another after a round trip (-first +second):\n%s", diff)
	}
}
