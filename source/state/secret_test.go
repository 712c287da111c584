package state

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// The short way through a secret's entry comes to what the library comes to, which is
// made to read the same by a key that is written otherwise.
func TestUsualEntry(t *testing.T) {
	for text, usual := range map[string]bool{
		`{"hash":"00ff","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                             true,
		"{\n      \"hash\": \"00ff\",\n      \"version\": -3,\n      \"last_synced\": \"0001-01-01T00:00:00Z\"\n    }": true,
		`{"hash":"00FF","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                             false,
		`{"hash":"","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                                 false,
		`{"hash":"00\u0030","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                         true,
		`{"hash":"00","version":-0,"last_synced":"2026-03-01T12:00:00Z"}`:                                              false,
		`{"hash":"00","version":1e1,"last_synced":"2026-03-01T12:00:00Z"}`:                                             false,
		`{"hash":"00","version":99999999999999999999,"last_synced":"2026-03-01T12:00:00Z"}`:                            false,
		`{"hash":"00","version":"3","last_synced":"2026-03-01T12:00:00Z"}`:                                             false,
		`{"hash":"00","version":3,"last_synced":"2026-03-01T13:00:00+01:00"}`:                                          false,
		`{"hash":"00","version":3,"last_synced":"2026-03-01T12:00:00.5Z"}`:                                             false,
		`{"hash":"00","version":3,"last_synced":"2026-03-01"}`:                                                         false,
		`{"hash":"00","version":3,"last_synced":null}`:                                                                 false,
		`{"hash":"00","version":3,"last_synced":"2026-03-01T12:00:00Z","more":1}`:                                      false,
		`{"hash":"00","version":3,"version":4,"last_synced":"2026-03-01T12:00:00Z"}`:                                   false,
		`{"hash":"00","last_synced":"2026-03-01T12:00:00Z","version":3}`:                                               false,
		`{"hash":"00"}`: false,
	} {
		var short, long Secret
		r := source.JSONReader{Rest: []byte(text)}
		if readSecret(&r); r.Done() != usual {
			t.Errorf("usual = %v, want %v: %s", r.Done(), usual, text)
		}
		err1 := json.Unmarshal([]byte(text), &short)
		err2 := json.Unmarshal([]byte(strings.Replace(text, `"hash"`, `"h\u0061sh"`, 1)), &long)
		if short.Hash != long.Hash || short.Version != long.Version || !short.LastSynced.Equal(long.LastSynced) ||
			len(short.unknown) != len(long.unknown) || (err1 == nil) != (err2 == nil) {
			t.Errorf("read %+v, %v, want %+v, %v: %s", short, err1, long, err2, text)
		}
	}
}

// What is written the short way is the library's text, and is read the short way; what
// has more in it is not.
func TestUsualFile(t *testing.T) {
	usual := Secret{Hash: "00ff", Version: 3, LastSynced: start}
	files := map[string]File{
		"empty": {LastSync: start},
		"lists": {LastSync: start.Add(time.Nanosecond).In(time.FixedZone("", 3600)), ProjectIDs: []string{"a", "b"}, Environment: "dev,prod",
			Secrets:    map[string]Secret{"B": usual, "A": {Hash: "00ff", Version: -1, LastSynced: start.In(time.FixedZone("", 3600))}},
			ErrorCount: 1, PushCount: 2, PullCount: 3, HashMethod: "hmac-sha256"},
	}
	for name, f := range files {
		long, err := f.textOfParts()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.text()); !f.usual() || got != string(long) {
			t.Errorf("%s: wrote %s\nwant %s", name, got, long)
		}
		short, ok := readFile(long)
		var want File
		if err := want.readParts(long); err != nil || !ok || !reflect.DeepEqual(short, want) {
			t.Errorf("%s: read %+v, %t, want %+v, %v", name, short, ok, want, err)
		}
		if _, ok := readFile(long[:len(long)-2]); ok {
			t.Errorf("%s: half of it is usual", name)
		}
	}
	for name, f := range map[string]File{
		"never synced":      {},
		"a key":             {LastSync: start, unknown: fields{"more": []byte("1")}},
		"a key of a secret": {LastSync: start, Secrets: map[string]Secret{"A": {Hash: "00", LastSynced: start, unknown: fields{"more": []byte("1")}}}},
		"a name":            {LastSync: start, Secrets: map[string]Secret{"A<B": usual}},
		"an environment":    {LastSync: start, Environment: "é"},
		"a project":         {LastSync: start, ProjectIDs: []string{"<"}},
		"a hash method":     {LastSync: start, HashMethod: "\""},
	} {
		if f.usual() {
			t.Errorf("%s is usual", name)
		}
	}
}
