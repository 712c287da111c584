package state

import (
	"reflect"
	"testing"
	"time"
)

// FuzzState holds reading to this: any file is whole, or damaged and then whole
// after the next write, which loses nothing that could be read. Written again
// without a change it is the same.
func FuzzState(f *testing.F) {
	seeds := []string{
		"", "{}", "null", `{"last_sync":"2026-03-01T12:00:00Z","secrets":{"A":{"hash":"h","version":1,"x":1}},"y":[1e400]}`,
		`{"last_sync":"2026-03-01T12:00:00.9+14:00","project_ids":null,"environment":"\ud800","secrets":{"\u0000":{}}}`,
		`{"secrets":{"A":1,"A":{}},"error_count":-1,"pull_count":1e1,"":"<>"}`,
		`{"last_sync":"0000-01-01T00:00:00Z"}`,
		`{"last_sync":"2026-03-01T12:00:00Z","project_ids":["p","q"],"environment":"dev","secrets":{"A":{"hash":"0f","version":1,"last_synced":"2026-03-01T12:00:00Z"}},"error_count":0,"push_count":1,"pull_count":2,"hash_method":"x"} `,
		`{"hash_method":"hmac-sha256","secrets":{"A":{"hash":"h"}}}`, `{"hash_method":1}`, `{"hash_method":""}`,
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second, third File
		err := first.UnmarshalJSON(data)
		if short, usual := readFile(data); usual {
			var long File
			if err := long.readParts(data); err != nil || !reflect.DeepEqual(short, long) {
				t.Fatalf("read the short way %+v, and the long %+v, %v", short, long, err)
			}
		}
		text, encodeErr := first.MarshalJSON()
		if encodeErr != nil {
			t.Fatalf("encoding what was read (%v): %v", err, encodeErr)
		}
		if long, err := first.textOfParts(); err != nil || string(long) != string(text) {
			t.Fatalf("written the short way\n%s\nand the long, %v\n%s", text, err, long)
		}
		if err := second.UnmarshalJSON(text); err != nil {
			t.Fatalf("still damaged after writing: %v", err)
		}
		if first.PullCount != second.PullCount || first.Digest() != second.Digest() || first.HashMethod != second.HashMethod || len(first.unknown) != len(second.unknown) ||
			!first.LastSync.Truncate(time.Second).Equal(second.LastSync) {
			t.Errorf("read %+v after writing %+v", second, first)
		}
		again, encodeErr := second.MarshalJSON()
		if encodeErr != nil || third.UnmarshalJSON(again) != nil || string(again) != string(text) {
			t.Errorf("written again it is\n%s\nnot\n%s", again, text)
		}
	})
}
