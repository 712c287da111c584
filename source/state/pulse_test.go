package state

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pulled is a cycle that confirmed the set, a second after the last one.
func pulled(b *Beat) {
	b.LastSync = b.LastSync.Add(time.Second)
	b.PullCount++
}

func beat(t *testing.T, p *Pulse, edit func(*Beat)) (rebuilt bool) {
	t.Helper()
	rebuilt, err := p.Beat(t.Context(), edit)
	if err != nil {
		t.Fatal(err)
	}
	return rebuilt
}

// A pulse changes what a cycle changes and nothing else, also where a count becomes
// longer, and writes the secrets anew only when it must.
func TestPulse(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, func(f *File) { f.Record(scope, set("A", "1", "\n  \"pull_count\": ", "2"), Hasher{}, start) })
	before, err := os.ReadFile(Path(dir, scope))
	if err != nil {
		t.Fatal(err)
	}
	p := NewPulse(dir, scope)
	var seen []os.FileInfo
	again := 0 // how often an earlier file came back
	for n := 1; n <= 120; n++ {
		if beat(t, p, pulled) {
			t.Error("a whole file counts as rebuilt")
		}
		if n%7 == 0 {
			beat(t, p, func(b *Beat) { b.ErrorCount++ })
		}
		text, err := os.ReadFile(Path(dir, scope))
		if err != nil {
			t.Fatal(err)
		}
		var f File
		if err := f.UnmarshalJSON(text); err != nil || f.PullCount != n || f.ErrorCount != n/7 || !f.LastSync.Equal(start.Add(time.Duration(n)*time.Second)) {
			t.Fatalf("beat %d: %d pulls, %d errors, synced %v; %v", n, f.PullCount, f.ErrorCount, f.LastSync, err)
		}
		f.PullCount, f.ErrorCount, f.LastSync = 0, 0, start
		if rest, err := f.MarshalJSON(); err != nil || string(rest) != string(before) {
			t.Fatalf("beat %d changed more:\n%s", n, text)
		}
		info, err := os.Stat(Path(dir, scope))
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) > 1 && os.SameFile(seen[len(seen)-2], info) {
			again++
		}
		seen = append(seen, info)
	}
	if runtime.GOOS == "linux" && again < 60 {
		t.Errorf("the two files changed places at %d of 120 beats", again)
	}
	p.Close()
	if left, err := os.ReadDir(filepath.Dir(Path(dir, scope))); err != nil || len(left) != 2 {
		t.Errorf("Close left %v, %v", left, err)
	}
}

// What others write is neither lost nor covered by what the pulse remembers.
func TestPulseBesideOthers(t *testing.T) {
	for name, write := range map[string]func(t *testing.T, dir string){
		"another infisync": func(t *testing.T, dir string) { update(t, dir, func(f *File) { f.PushCount++ }) },
		"in place, of the same length, with its old time": func(t *testing.T, dir string) {
			path := Path(dir, scope)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			text = []byte(strings.Replace(string(text), `"push_count": 0`, `"push_count": 1`, 1))
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"in another order": func(t *testing.T, dir string) {
			path := put(t, dir, `{"unknown": {"pull_count": 7}, "pull_count": 4, "push_count": 1, "error_count": 0, "secrets": {}, "last_sync": "2026-03-01T12:00:04Z"}`)
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			update(t, dir, func(f *File) { f.Record(scope, set("A", "1"), Hasher{}, start) })
			p := NewPulse(dir, scope)
			defer p.Close()
			for range 4 {
				beat(t, p, pulled)
			}
			write(t, dir)
			for n := 5; n <= 9; n++ {
				beat(t, p, pulled)
				f, err := Read(Path(dir, scope))
				if err != nil || f.PushCount != 1 || f.PullCount != n {
					t.Fatalf("%d pushes, %d pulls, want 1 and %d; %v", f.PushCount, f.PullCount, n, err)
				}
			}
		})
	}
}

// The second file may go, or change, at any time: it is not put in the first's place.
func TestPulseWithoutItsSecondFile(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, func(f *File) { f.Record(scope, set("A", "1"), Hasher{}, start) })
	p := NewPulse(dir, scope)
	defer p.Close()
	for n := 1; n <= 9; n++ {
		beat(t, p, pulled)
		if n%3 == 0 && p.spare != "" {
			if err := os.WriteFile(p.spare, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if n == 5 && p.spare != "" {
			if err := os.Remove(p.spare); err != nil {
				t.Fatal(err)
			}
		}
		if f, err := Read(Path(dir, scope)); err != nil || f.PullCount != n || len(f.Secrets) != 1 {
			t.Fatalf("beat %d left %d pulls, %d secrets, %v", n, f.PullCount, len(f.Secrets), err)
		}
	}
}

// A file that was never written gets what tells whose it is; a damaged one is said to
// be rebuilt.
func TestPulseOfNoFile(t *testing.T) {
	dir := t.TempDir()
	p := NewPulse(dir, scope)
	defer p.Close()
	failed := func(b *Beat) { b.ErrorCount++ }
	for n := 1; n <= 4; n++ {
		beat(t, p, failed)
		f, err := Read(Path(dir, scope))
		if err != nil || f.ErrorCount != n || !f.LastSync.IsZero() || strings.Join(f.ProjectIDs, " ") != "p1 p2" || f.Environment != "dev" {
			t.Errorf("the file of failures only is %+v, %v", f, err)
		}
	}
	put(t, dir, "{")
	if !beat(t, p, failed) {
		t.Error("a damaged file is not said to be rebuilt")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Beat(t.Context(), failed); err == nil {
		t.Error("a beat where no folder can be is no error")
	}
}

// Who reads meanwhile sees whole files, each newer than the one before.
func TestPulseIsWhole(t *testing.T) {
	dir := t.TempDir()
	update(t, dir, func(f *File) { f.Record(scope, counting(0), Hasher{}, start) })
	p := NewPulse(dir, scope)
	defer p.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 300 {
			if _, err := p.Beat(t.Context(), pulled); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	last := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		f, err := Read(Path(dir, scope))
		if err != nil || f.PullCount < last || len(f.Secrets) != 500 {
			t.Fatalf("read %d pulls after %d, %d secrets, %v", f.PullCount, last, len(f.Secrets), err)
		}
		last = f.PullCount
	}
	if last != 300 {
		t.Errorf("the last file counts %d pulls, want 300", last)
	}
}
