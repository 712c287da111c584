package graph

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"infisync/source"
)

func TestDamagedFile(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut": `{"format": 1, "entities": [{"ty`, "not json": "\x00\xff", "other shape": `{"format":1,"entities":{}}`,
		"newer": `{"format": 2, "entities": []}`, "null": "null", "values": `{"format": 1, "entities": "` + strings.Trim(canary, "\n\"") + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			facts := someFacts()
			update(t, dir, facts)
			other := someFacts()
			other.Scope.Recursive = true
			other.Set = source.NewSet(secret("OTHER", devRoot, 1))
			update(t, dir, other)
			path := Path(dir, facts.Scope)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}

			g, damaged, err := Load(dir)
			if err != nil || !slices.Equal(damaged, []string{path}) {
				t.Fatalf("Load: damaged %q, %v, want %q", damaged, err, path)
			}
			if got := ask(t, g, Query{Type: TypeSecret}); !slices.Equal(got, []string{"p1:dev:/:OTHER"}) {
				t.Errorf("beside the damaged file: %q", got)
			}
			if err := Delete(t.Context(), dir, devRoot, "API_KEY"); err != nil {
				t.Errorf("Delete: %v", err)
			}
			if !update(t, dir, facts) {
				t.Error("Update did not tell that the file was damaged")
			}
			if got := ask(t, load(t, dir), Query{Name: "API_KEY"}); len(got) != 1 {
				t.Error("not rebuilt")
			}
			if update(t, dir, facts) {
				t.Error("Update takes the rebuilt file for damaged")
			}
		})
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	facts := someFacts()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Update(ended, dir, facts); !errors.Is(err, context.Canceled) || source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("Update with an ended context: %v", err)
	}
	path := Path(dir, facts.Scope)
	if err := os.MkdirAll(filepath.Join(path, "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Update(t.Context(), dir, facts); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("Update where the file cannot be read: %v", err)
	}
	if g, damaged, err := Load(dir); err != nil || len(damaged) > 0 || len(g.Entities) > 0 {
		t.Errorf("Load with a folder for a file: %v, %q, %v", g, damaged, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(file); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("Load of a file: %v", err)
	}
	if err := Delete(t.Context(), file, devRoot, "A"); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("Delete in a file: %v", err)
	}
	if g, _, err := Load(filepath.Join(dir, "missing")); err != nil || len(g.Entities) > 0 {
		t.Errorf("Load without a state directory: %v, %v", g, err)
	}
}

// Writers in one folder take turns, and readers never see a part.
func TestConcurrentUpdates(t *testing.T) {
	dir := t.TempDir()
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				if _, damaged, err := Load(dir); err != nil || len(damaged) > 0 {
					t.Errorf("Load while others write: damaged %q, %v", damaged, err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 8 {
		writers.Go(func() {
			facts := someFacts()
			facts.Scope.Recursive = i%2 == 0
			facts.Projects = []Project{{ID: "p1", Name: "shop"}}
			if i >= 4 {
				facts.Projects = nil // takes what the others wrote
			}
			for range 5 {
				if _, err := Update(t.Context(), dir, facts); err != nil {
					t.Errorf("Update: %v", err)
				}
				if err := Delete(t.Context(), dir, devRoot, "API_KEY"); err != nil {
					t.Errorf("Delete: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	g := load(t, dir)
	if got := ask(t, g, Query{Name: "DB_URL"}); len(got) != 1 {
		t.Errorf("DB_URL is there %d times", len(got))
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != FileName && d.Name() != "write.lock" {
			t.Errorf("left behind: %q", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
