package state

import (
	"errors"
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
	Dir       string        // where was looked; empty: there is no place to look in
	Missing   bool          // Dir is not there
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

	Interval time.Duration `json:"-"` // at which it is synced, as far as the register tells; zero: that is not known
}

// A ProcessState tells how what a child runs with compares with the newest set of
// its scope.
type ProcessState string

// The states of processes.
const (
	ProcessCurrent     ProcessState = "current"
	ProcessStale       ProcessState = "stale"       // it has another set than the newest
	ProcessQuarantined ProcessState = "quarantined" // the newest set failed on probation
	ProcessRefused     ProcessState = "refused"     // the newest set cannot be given to a child
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

	Interval time.Duration `json:"-"` // see Entry
}

// ReadStatus reads the state files and the register of the state directory; now is
// the time that ages are counted to. No key is needed. A missing directory, or the
// empty string for none, gives a Status without scopes and processes. A state file
// that is damaged, or cannot be read, is flagged and hides no other. Errors have
// source.CodeStateDir.
func ReadStatus(stateDir string, now time.Time) (Status, error) {
	status := Status{At: now.UTC().Truncate(time.Second), Dir: stateDir, Missing: stateDir == ""}
	if status.Missing {
		return status, nil
	}
	// Before the state files: a child is started after its set was announced, so
	// none can seem to run ahead of them.
	entries, elsewhere, err := readRegister(stateDir)
	if err != nil {
		return Status{}, err
	}
	folders, err := os.ReadDir(stateDir)
	status.Missing = errors.Is(err, fs.ErrNotExist)
	if err != nil && !status.Missing {
		return Status{}, source.Errorf(source.CodeStateDir, "reading the state directory: %w", err)
	}
	intervals := intervalsOf(entries, elsewhere)
	newest := make(map[string]string) // folder → digest
	for _, folder := range folders {
		if folder.IsDir() && isScopeFolder(folder.Name()) {
			scope, kept := readScope(filepath.Join(stateDir, folder.Name()))
			if !kept {
				continue
			}
			newest[scope.Folder], scope.Interval = scope.Digest, intervals[scope.Folder]
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
		Interval: e.Interval,
	}
	switch {
	case e.Syncs:
		p.State = ProcessSyncing
	case e.Refused:
		p.State = ProcessRefused
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
