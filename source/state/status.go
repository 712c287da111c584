package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"infisync/source"
)

// A Status is what the state directory tells at one time. The zero Status is that
// of a directory in which nothing was ever kept.
type Status struct {
	At        time.Time     // UTC: when it was read
	Scopes    []ScopeStatus // by folder
	Processes []Process     // by folder and pid
}

// A ScopeStatus is what is kept for one scope. Times are UTC, whole seconds, and
// zero when they are not known.
type ScopeStatus struct {
	Folder       string    `json:"scope"`
	Environment  string    `json:"environment"` // slug; several are separated by commas
	ProjectIDs   []string  `json:"project_ids"`
	LastSync     time.Time `json:"last_sync,omitzero"` // zero: never, or not known
	Secrets      int       `json:"secrets"`
	Digest       string    `json:"digest,omitempty"` // of the newest set; empty: there is none, or it is not known
	ErrorCount   int       `json:"error_count"`
	PushCount    int       `json:"push_count"`
	PullCount    int       `json:"pull_count"`
	VaultWritten time.Time `json:"vault_written,omitzero"` // the newest vault; zero: there is none
	Damaged      bool      `json:"damaged"`                // the state file cannot be read, or only in part
}

// A ProcessState tells how what a child runs with compares with the newest set of
// its scope.
type ProcessState string

// The states of processes.
const (
	ProcessCurrent     ProcessState = "current"
	ProcessStale       ProcessState = "stale"       // it has another set than the newest
	ProcessQuarantined ProcessState = "quarantined" // the newest set failed on probation
	ProcessUnknown     ProcessState = "unknown"     // the newest set of its scope is not known
	ProcessSyncing     ProcessState = "syncing"     // it has no child: it pulls for others
)

// A Process is an infisync process of this user and the child it runs, if any.
type Process struct {
	PID      int          `json:"pid"`            // see Entry
	Child    int          `json:"child"`          // pid; 0: none now
	Command  string       `json:"command"`        // name without its path
	Folder   string       `json:"scope"`          // empty: it runs without a scope
	Digest   string       `json:"digest"`         // of the set that the child has
	Since    time.Time    `json:"since,omitzero"` // UTC: when the child was started
	Restarts int          `json:"restarts"`       // see Entry
	State    ProcessState `json:"state"`
}

// ReadStatus reads the state files and the register of the state directory; now is
// the time that ages are counted to. No key is needed. A missing directory, or the
// empty string for none, gives a Status without scopes and processes. A state file
// that is damaged, or cannot be read, is flagged and hides no other. Errors have
// source.CodeStateDir.
func ReadStatus(stateDir string, now time.Time) (Status, error) {
	status := Status{At: now.UTC().Truncate(time.Second)}
	if stateDir == "" {
		return status, nil
	}
	// Before the state files: a child is started after its set was announced, so
	// none can seem to run ahead of them.
	entries, err := List(stateDir)
	if err != nil {
		return Status{}, err
	}
	folders, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Status{}, source.Errorf(source.CodeStateDir, "reading the state directory: %w", err)
	}
	newest := make(map[string]string) // folder → digest
	for _, folder := range folders {
		if folder.IsDir() && isScopeFolder(folder.Name()) {
			scope, kept := readScope(filepath.Join(stateDir, folder.Name()))
			if !kept {
				continue
			}
			newest[scope.Folder] = scope.Digest
			status.Scopes = append(status.Scopes, scope)
		}
	}
	for _, entry := range entries {
		status.Processes = append(status.Processes, entry.process(newest[entry.Folder]))
	}
	return status, nil
}

// readScope reads what is in a scope's folder, and tells whether anything is kept
// there: a first pull that fails leaves nothing but a lock.
func readScope(folder string) (scope ScopeStatus, kept bool) {
	f, err := Read(filepath.Join(folder, FileName))
	scope = ScopeStatus{
		Folder: filepath.Base(folder), Environment: f.Environment, ProjectIDs: f.ProjectIDs, LastSync: f.LastSync,
		Secrets: len(f.Secrets), ErrorCount: f.ErrorCount, PushCount: f.PushCount, PullCount: f.PullCount,
		VaultWritten: newestVault(folder),
		Damaged:      err != nil && !errors.Is(err, fs.ErrNotExist),
	}
	// What could be read of a damaged file may lack secrets, and a scope that was
	// never synced has no set, which is not an empty one.
	if err == nil && !f.LastSync.IsZero() {
		scope.Digest = f.Digest()
	}
	return scope, !errors.Is(err, fs.ErrNotExist) || !scope.VaultWritten.IsZero()
}

// newestVault is when a vault in the folder was last written, whatever its key.
func newestVault(folder string) time.Time {
	var newest time.Time
	files, err := os.ReadDir(folder)
	if err != nil {
		return newest
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), "vault.") || !strings.HasSuffix(file.Name(), ".age") {
			continue
		}
		if info, err := file.Info(); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest.UTC().Truncate(time.Second)
}

// process judges the entry by the newest digest of its scope, empty when that is
// not known.
func (e Entry) process(newest string) Process {
	p := Process{
		PID: e.PID, Child: e.Child, Command: e.Command, Folder: e.Folder, Digest: e.Digest, Since: e.Since, Restarts: e.Restarts,
	}
	switch {
	case e.Syncs:
		p.State = ProcessSyncing
	case e.Quarantined:
		p.State = ProcessQuarantined
	case newest == "":
		p.State = ProcessUnknown
	case e.Digest == newest:
		p.State = ProcessCurrent
	default:
		p.State = ProcessStale
	}
	return p
}

// Check is for health checks. It returns an error with source.CodeUnhealthy, which
// names everything that is wrong, when nothing was ever synced, when the last sync
// of a scope in which a process runs is not known, lies in the future or is longer
// than maxAge ago (zero: any age will do), or when a running child is quarantined.
func (s Status) Check(maxAge time.Duration) error {
	synced := make(map[string]time.Time) // folder → last sync, if there was one
	for _, scope := range s.Scopes {
		if !scope.LastSync.IsZero() {
			synced[scope.Folder] = scope.LastSync
		}
	}
	if len(synced) == 0 {
		return source.Errorf(source.CodeUnhealthy, "nothing was synced yet")
	}
	var wrong []string
	judged := make(map[string]bool)
	for _, p := range s.Processes {
		if p.State == ProcessQuarantined {
			wrong = append(wrong, fmt.Sprintf("process %d runs %q with the secrets before the newest, which made it fail", p.PID, p.Command))
		}
		if p.Folder == "" || judged[p.Folder] {
			continue
		}
		judged[p.Folder] = true
		last, ok := synced[p.Folder]
		age := s.At.Sub(last)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("process %d runs with scope %q, whose last sync is not known", p.PID, p.Folder))
		case age < 0:
			wrong = append(wrong, fmt.Sprintf("scope %q was synced in the future: was the clock set back?", p.Folder))
		case maxAge > 0 && age > maxAge:
			wrong = append(wrong, fmt.Sprintf("scope %q was synced %s ago, longer than %s", p.Folder, age, maxAge))
		}
	}
	if len(wrong) > 0 {
		return source.Errorf(source.CodeUnhealthy, "%s", strings.Join(wrong, "; "))
	}
	return nil
}
