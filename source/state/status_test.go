package state

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// hostile is a name that would clear a terminal and seem to be several columns.
const hostile = "x\x1b[2J\n\u202e  y"

// readStatus reads the status an hour and ten seconds after start.
func readStatus(t *testing.T, dir string) Status {
	t.Helper()
	status, err := ReadStatus(dir, start.Add(time.Hour+10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// synced makes a state file for scope and a vault beside it, both of start.
func synced(t *testing.T, dir string) {
	t.Helper()
	update(t, dir, func(f *File) {
		f.Record(scope, set("A", canary, "B", "2"), Hasher{}, start)
		f.PullCount, f.PushCount, f.ErrorCount = 5, 2, 1
	})
	for name, ago := range map[string]time.Duration{"vault.0a.age": 0, "vault.0b.age": time.Hour, "vault.0a.age.bad-1": -time.Hour} {
		path := filepath.Join(dir, scope.Folder(), name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, start, start.Add(-ago)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadStatus(t *testing.T) {
	dir := t.TempDir()
	synced(t, dir)
	fill(t, dir, "1/write.lock", "2/vault.0a.age", "run/x.login", "note")
	vault := filepath.Join(dir, long("2/vault.0a.age"))
	if err := os.Chtimes(vault, start, start); err != nil {
		t.Fatal(err)
	}
	digest := digestOf(set("A", canary, "B", "2"))
	putEntry(t, dir, func(e *Entry) {
		e.Folder, e.Command, e.Digest, e.Since, e.Restarts, e.Child = scope.Folder(), "/bin/app", digest, start, 3, 42
	})
	want := Status{
		At: start.Add(time.Hour + 10*time.Second), Dir: dir,
		Scopes: []ScopeStatus{
			{Folder: "dev-00000002", VaultWritten: start},
			{Folder: scope.Folder(), Environment: "dev", ProjectIDs: []string{"p1", "p2"}, LastSync: start, Secrets: 2,
				Digest: digest, ErrorCount: 1, PushCount: 2, PullCount: 5, VaultWritten: start},
		},
		Processes: []Process{{PID: os.Getpid(), Child: 42, Command: "app", Folder: scope.Folder(), Digest: digest,
			Since: start, Restarts: 3, State: ProcessCurrent}},
	}
	if got := readStatus(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("status\n%+v, want\n%+v", got, want)
	}
}

func TestProcessStates(t *testing.T) {
	newest, other := digestOf(set("A", "1")), digestOf(set("A", "2"))
	for _, test := range []struct {
		name, digest string
		quarantined  bool
		state        string // text of the state file; empty: as it is after a sync
		want         ProcessState
	}{
		{"refused", other, true, "", ProcessRefused},
		{"newest", newest, false, "", ProcessCurrent},
		{"other", other, false, "", ProcessStale},
		{"quarantined", other, true, "", ProcessQuarantined},
		{"damaged", newest, false, `{"last_sync": "2026-03-01T12:00:00Z", "secrets": {"A": 1}}`, ProcessUnknown},
		{"syncing", "", false, "", ProcessSyncing},
		{"never synced", digestOf(source.Set{}), false, `{"error_count": 1}`, ProcessUnknown},
	} {
		dir := t.TempDir()
		update(t, dir, func(f *File) { f.Record(scope, set("A", "1"), Hasher{}, start) })
		if test.state != "" {
			put(t, dir, test.state)
		}
		putEntry(t, dir, func(e *Entry) {
			e.Folder, e.Digest, e.Quarantined, e.Syncs = scope.Folder(), test.digest, test.quarantined, test.want == ProcessSyncing
			e.Refused = test.want == ProcessRefused
		})
		status := readStatus(t, dir)
		if len(status.Processes) != 1 || status.Processes[0].State != test.want {
			t.Errorf("%s: processes %+v, want state %s", test.name, status.Processes, test.want)
		}
	}
}

func TestReadStatusOfNothing(t *testing.T) {
	for _, dir := range []string{"", t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		status := readStatus(t, dir)
		if _, err := os.Stat(dir); status.Missing != (err != nil) {
			t.Errorf("%q: missing: %v", dir, status.Missing)
		}
		if len(status.Scopes)+len(status.Processes) != 0 {
			t.Errorf("%q: %+v", dir, status)
		}
		if got, want := written(t, status.Write, "text"), "nothing was synced yet\n\nno infisync process runs\n"; got != want {
			t.Errorf("%q: %q, want %q", dir, got, want)
		}
		if got := written(t, status.WriteProcesses, "json"); got != "[]\n" {
			t.Errorf("%q: processes %q", dir, got)
		}
		if got := written(t, status.Write, "json"); strings.Contains(got, "null") || !strings.Contains(got, `"scopes": [],`) {
			t.Errorf("%q: %s", dir, got)
		}
	}
	if _, err := ReadStatus(put(t, t.TempDir(), ""), start); source.CodeOf(err) != source.CodeStateDir {
		t.Errorf("a file for a state directory: %v", err)
	}
}

// A damaged file is flagged, with what can be read, and hides no other.
func TestReadStatusOfDamagedFile(t *testing.T) {
	dir := t.TempDir()
	synced(t, dir)
	fill(t, dir, "1/"+FileName)
	path := filepath.Join(dir, long("1"), FileName)
	if err := os.WriteFile(path, []byte(`{"pull_count": 3, "secrets": "x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	status := readStatus(t, dir)
	if len(status.Scopes) != 2 || !status.Scopes[0].Damaged || status.Scopes[0].PullCount != 3 || status.Scopes[1].Damaged {
		t.Errorf("scopes %+v", status.Scopes)
	}
	if got := written(t, status.Write, "text"); strings.Count(got, "\n  damaged") != 1 {
		t.Errorf("text:\n%s", got)
	}
}

// written returns what write writes, which must hold no value.
func written(t *testing.T, write func(io.Writer, string) error, format string) string {
	t.Helper()
	var out strings.Builder
	if err := write(&out, format); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("%s holds a value:\n%s", format, out.String())
	}
	return out.String()
}

func TestStatusText(t *testing.T) {
	dir := t.TempDir()
	synced(t, dir)
	status := readStatus(t, dir)
	status.Processes = []Process{
		{PID: 7, Child: 8, Command: "app", Folder: "dev-1", Digest: strings.Repeat("d", 64), Since: start, Restarts: 1, State: ProcessStale},
		{PID: 1234567, Command: hostile, Digest: "short", State: ProcessUnknown},
	}
	want := scope.Folder() + `
  environment    dev
  projects       p1, p2
  last sync      2026-03-01T12:00:00Z, 1h0m ago
  secrets        2, digest ` + digestOf(set("A", canary, "B", "2"))[:12] + `
  counts         5 pulled, 2 pushed, 1 failed
  vault written  2026-03-01T12:00:00Z, 1h0m ago

PID      CHILD  COMMAND                SCOPE  DIGEST        SINCE                 RESTARTS  STATE
7        8      app                    dev-1  dddddddddddd  2026-03-01T12:00:00Z  1         stale
1234567  -      "x\x1b[2J\n\u202e  y"  -      short         -                     0         unknown
`
	if got := written(t, status.Write, "text"); got != want {
		t.Errorf("text\n%s, want\n%s", got, want)
	}
	if got := written(t, status.WriteProcesses, "text"); !strings.HasSuffix(want, "\n\n"+got) {
		t.Errorf("processes\n%s, want the end of\n%s", got, want)
	}
	if err := status.Write(&strings.Builder{}, "yaml"); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("a format there is not: %v", err)
	}
	if err := status.WriteProcesses(&strings.Builder{}, "yaml"); source.CodeOf(err) != source.CodeUsage {
		t.Errorf("a format there is not: %v", err)
	}
}

func TestShownAge(t *testing.T) {
	for ago, want := range map[time.Duration]string{
		0:                            "0s ago",
		59*time.Second + 1:           "59s ago",
		10 * time.Minute:             "10m0s ago",
		time.Hour + 70*time.Second:   "1h1m ago",
		240*time.Hour + 5*time.Hour:  "245h0m ago",
		-time.Second:                 "in the future",
		-time.Hour - 10*time.Minute:  "in the future",
		90*time.Minute + time.Second: "1h30m ago",
	} {
		if got, want := shownAge(start, start.Add(ago), "never"), "2026-03-01T12:00:00Z, "+want; got != want {
			t.Errorf("%s: %q, want %q", ago, got, want)
		}
	}
}

func TestStatusJSON(t *testing.T) {
	dir := t.TempDir()
	synced(t, dir)
	fill(t, dir, "1/"+FileName)
	status := readStatus(t, dir)
	status.Processes = []Process{{PID: 7, Child: 8, Command: hostile, Folder: "dev-1", Digest: "d", Since: start, State: ProcessStale}}
	var got map[string]any
	if err := json.Unmarshal([]byte(written(t, status.Write, "json")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"at": "2026-03-01T13:00:10Z",
		"scopes": []any{
			map[string]any{"scope": "dev-00000001", "environment": "", "project_ids": []any{}, "secrets": 0.0,
				"error_count": 0.0, "push_count": 0.0, "pull_count": 0.0, "damaged": true},
			map[string]any{"scope": scope.Folder(), "environment": "dev", "project_ids": []any{"p1", "p2"},
				"last_sync": "2026-03-01T12:00:00Z", "age_seconds": 3610.0, "secrets": 2.0, "digest": status.Scopes[1].Digest,
				"error_count": 1.0, "push_count": 2.0, "pull_count": 5.0,
				"vault_written": "2026-03-01T12:00:00Z", "vault_age_seconds": 3610.0, "damaged": false},
		},
		"processes": []any{map[string]any{"pid": 7.0, "child": 8.0, "command": hostile, "scope": "dev-1", "digest": "d",
			"since": "2026-03-01T12:00:00Z", "restarts": 0.0, "state": "stale"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("JSON\n%v, want\n%v", got, want)
	}
}

func TestStatusCheck(t *testing.T) {
	const maxAge = 10 * time.Minute
	at := start.Add(maxAge)
	runs := func(folder string, state ProcessState) Process {
		return Process{PID: 7, Child: 8, Command: "app", Folder: folder, State: state}
	}
	asks, waits := runs("", ProcessUnknown), runs("", ProcessUnknown)
	asks.Interval, waits.Child = time.Minute, 0
	fresh := ScopeStatus{Folder: "dev-1", LastSync: start}
	old := ScopeStatus{Folder: "old-1", LastSync: start.Add(-time.Second)}
	ahead := ScopeStatus{Folder: "new-1", LastSync: at.Add(time.Second)}
	never := ScopeStatus{Folder: "bad-1", ErrorCount: 1, Damaged: true}
	for _, test := range []struct {
		name      string
		scopes    []ScopeStatus
		processes []Process
		want      string // empty: healthy
	}{
		{"nothing", nil, nil, `nothing was synced yet in "dir"`},
		{"only errors", []ScopeStatus{never}, nil, `nothing was synced yet in "dir"`},
		{"no server", nil, []Process{runs("", ProcessUnknown)}, ""},
		{"no server, no child", nil, []Process{waits}, `nothing was synced yet in "dir"`},
		{"no server so far", nil, []Process{asks}, `nothing was synced yet in "dir"`},
		{"no server, refused", nil, []Process{runs("", ProcessRefused)},
			`process 7 runs "app" with the secrets before the newest, which no child can be given`},
		{"nobody runs", []ScopeStatus{old, never, ahead}, nil, ""},
		{"fresh", []ScopeStatus{fresh}, []Process{runs("dev-1", ProcessCurrent), runs("dev-1", ProcessStale), runs("", ProcessUnknown)}, ""},
		{"old", []ScopeStatus{old}, []Process{runs("old-1", ProcessCurrent), runs("old-1", ProcessCurrent)},
			`scope "old-1" was synced 10m1s ago, longer than 10m0s`},
		{"future", []ScopeStatus{ahead}, []Process{runs("new-1", ProcessCurrent)}, `scope "new-1" was synced in the future: was the clock set back?`},
		{"not known, and quarantined", []ScopeStatus{fresh, never}, []Process{runs("bad-1", ProcessUnknown), runs("dev-1", ProcessQuarantined)},
			`process 7 runs with scope "bad-1", whose last sync is not known; process 7 runs "app" with the secrets before the newest, which made it fail`},
	} {
		err := Status{At: at, Dir: "dir", Scopes: test.scopes, Processes: test.processes}.Check(maxAge, false)
		switch {
		case test.want == "" && err == nil:
		case err == nil || err.Error() != test.want || source.CodeOf(err) != source.CodeUnhealthy:
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	aged := Status{At: at.Add(1000 * time.Hour), Scopes: []ScopeStatus{fresh}, Processes: []Process{runs("dev-1", ProcessCurrent)}}
	if err := aged.Check(0, false); err != nil {
		t.Errorf("any age will do: %v", err)
	}
}

// A scope may be as old as three of its intervals: of the quickest process here, or else
// of the one elsewhere that was registered last.
func TestStatusCheckIntervals(t *testing.T) {
	type process struct {
		elsewhere bool
		interval  time.Duration
	}
	for _, test := range []struct {
		name      string
		processes []process // by the time they were registered
		limit     time.Duration
	}{
		{"a follower alone", []process{{false, 0}}, 10 * time.Minute},
		{"short", []process{{false, time.Minute}}, 10 * time.Minute},
		{"long", []process{{false, 30 * time.Minute}}, 90 * time.Minute},
		{"with a follower", []process{{false, 30 * time.Minute}, {false, 0}}, 90 * time.Minute},
		{"the quicker", []process{{false, 30 * time.Minute}, {false, 20 * time.Minute}}, time.Hour},
		{"kept elsewhere", []process{{true, 24 * time.Hour}, {true, 30 * time.Minute}, {false, 0}}, 90 * time.Minute},
		{"kept here", []process{{true, 20 * time.Minute}, {false, 30 * time.Minute}}, 90 * time.Minute},
	} {
		dir := t.TempDir()
		update(t, dir, func(f *File) { f.Record(scope, set("A", "1"), Hasher{}, start) })
		for i, p := range test.processes {
			path := putEntry(t, dir, func(e *Entry) {
				e.Folder, e.Interval = scope.Folder(), p.interval
				if p.elsewhere {
					e.Space = "other"
				}
			})
			// Names that sort against the time of writing, and differ.
			renamed := filepath.Join(filepath.Dir(path), string(rune('z'-i))+".json")
			if err := os.Rename(path, renamed); err != nil {
				t.Fatal(err)
			}
			age(t, renamed, time.Duration(len(test.processes)-i)*time.Minute)
		}
		for late, healthy := range map[time.Duration]bool{0: true, time.Second: false} {
			status, err := ReadStatus(dir, start.Add(test.limit+late))
			if err != nil {
				t.Fatal(err)
			}
			if err := status.Check(10*time.Minute, false); (err == nil) != healthy {
				t.Errorf("%s: after %s and %s: %v", test.name, test.limit, late, err)
			}
			if err := status.Check(10*time.Minute, true); (err == nil) != (healthy && test.limit == 10*time.Minute) {
				t.Errorf("%s: strict, after %s and %s: %v", test.name, test.limit, late, err)
			}
		}
	}
}
