package state

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// The short way through a secret's entry comes to what the library comes to, which is
// made to read the same by a key that is written otherwise.
func TestUsualEntry(t *testing.T) {
	for text, usual := range map[string]bool{
		`{"hash":"00ff","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                             true,
		"{\n      \"hash\": \"00ff\",\n      \"version\": -3,\n      \"last_synced\": \"0001-01-01T00:00:00Z\"\n    }": true,
		`{"hash":"00FF","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                             false,
		`{"hash":"","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                                 false,
		`{"hash":"00\u0030","version":3,"last_synced":"2026-03-01T12:00:00Z"}`:                                         false,
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
		if got := new(Secret).readUsual([]byte(text)); got != usual {
			t.Errorf("usual = %v, want %v: %s", got, usual, text)
		}
		err1 := json.Unmarshal([]byte(text), &short)
		err2 := json.Unmarshal([]byte(strings.Replace(text, `"hash"`, `"h\u0061sh"`, 1)), &long)
		if short.Hash != long.Hash || short.Version != long.Version || !short.LastSynced.Equal(long.LastSynced) ||
			len(short.unknown) != len(long.unknown) || (err1 == nil) != (err2 == nil) {
			t.Errorf("read %+v, %v, want %+v, %v: %s", short, err1, long, err2, text)
		}
	}
}

// What is written the short way is the library's text, and usual.
func TestUsualEntryIsWritten(t *testing.T) {
	for _, s := range []Secret{
		{Hash: "00ff", Version: 3, LastSynced: start},
		{Hash: "00ff", Version: -1, LastSynced: start.Add(time.Nanosecond).In(time.FixedZone("", 3600))},
	} {
		got, err := s.MarshalJSON()
		if err != nil || !new(Secret).readUsual(got) {
			t.Errorf("%s is not usual, %v", got, err)
		}
		s.unknown = fields{"more": []byte("1")}
		long, err := s.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, long); err != nil {
			t.Fatal(err)
		}
		if text := strings.Replace(want.String(), `,"more":1`, "", 1); text != string(got) {
			t.Errorf("wrote %s, want %s", got, text)
		}
	}
}
