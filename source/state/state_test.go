package state

import (
	"os"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	scope = source.Scope{
		URL: "https://vault.example/api",
		Places: []source.Place{
			{Project: "p1", Environment: "dev", Path: "/"},
			{Project: "p2", Environment: "dev", Path: "/"},
		},
	}
)

func set(pairs ...string) source.Set {
	var secrets []source.Secret
	for i := 0; i < len(pairs); i += 2 {
		secrets = append(secrets, source.Secret{Name: pairs[i], Value: source.NewValue(pairs[i+1]), Version: i + 1})
	}
	return source.NewSet(secrets...)
}

func TestFileText(t *testing.T) {
	dir := t.TempDir()
	rebuilt, err := Update(t.Context(), dir, scope, func(f *File) error {
		f.Record(scope, set("B", "2", "A", "1"), start)
		f.PullCount++
		return nil
	})
	if err != nil || rebuilt {
		t.Fatalf("Update = %v, %v", rebuilt, err)
	}
	got, err := os.ReadFile(Path(dir, scope))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "last_sync": "2026-03-01T12:00:00Z",
  "project_ids": [
    "p1",
    "p2"
  ],
  "environment": "dev",
  "secrets": {
    "A": {
      "hash": "` + Hash("A", source.NewValue("1")) + `",
      "version": 3,
      "last_synced": "2026-03-01T12:00:00Z"
    },
    "B": {
      "hash": "` + Hash("B", source.NewValue("2")) + `",
      "version": 1,
      "last_synced": "2026-03-01T12:00:00Z"
    }
  },
  "error_count": 0,
  "push_count": 0,
  "pull_count": 1
}
`
	if string(got) != want {
		t.Errorf("state file is\n%s\nwant\n%s", got, want)
	}
	f, err := Read(Path(dir, scope))
	if err != nil || f.Digest() != Digest(set("A", "1", "B", "2")) {
		t.Errorf("digest of the file %s differs from the set's (%v)", f.Digest(), err)
	}
	if strings.Contains(f.Digest(), Digest(set("A", "1"))) {
		t.Error("digests of two sets are equal")
	}
}
