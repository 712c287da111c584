package state

import (
	"fmt"
	"strings"
	"time"

	"infisync/source"
)

// intervalsPatience is how many intervals a sync may be ago: fewer would fail between
// two polls, or after one that failed.
const intervalsPatience = 3

// intervalsOf returns how often each folder is synced: the shortest interval of the
// processes here, since that of a slower one says nothing of whether the quicker works.
// For a folder that nobody here syncs it is that of the process in another container
// which was registered last; older entries may be of containers that are gone.
func intervalsOf(here, elsewhere []Entry) map[string]time.Duration {
	intervals := make(map[string]time.Duration) // name of folder → interval
	for _, entry := range elsewhere {
		if entry.Interval > 0 {
			intervals[entry.Folder] = entry.Interval
		}
	}
	seen := make(map[string]bool)
	for _, entry := range here {
		if entry.Interval > 0 && (!seen[entry.Folder] || entry.Interval < intervals[entry.Folder]) {
			intervals[entry.Folder], seen[entry.Folder] = entry.Interval, true
		}
	}
	return intervals
}

// Check is for health checks. It returns an error with source.CodeUnhealthy, which
// names everything that is wrong: when nothing was ever synced, unless a child runs with
// .env files alone; when the last sync of a scope in which a process runs is not known,
// lies in the future or is longer than maxAge ago (zero: any age will do); when the
// newest set failed with a running child, or cannot be given to it. Unless strict, a
// scope may also be as old as three of its intervals.
func (s Status) Check(maxAge time.Duration, strict bool) error {
	scopes := make(map[string]ScopeStatus) // folder → a scope that was synced
	for _, scope := range s.Scopes {
		if !scope.LastSync.IsZero() {
			scopes[scope.Folder] = scope
		}
	}
	if len(scopes) == 0 && !s.runsUnsynced() {
		return source.Errorf(source.CodeUnhealthy, "%s", s.nothing())
	}
	var wrong []string
	judged := make(map[string]bool)
	for _, p := range s.Processes {
		switch p.State {
		case ProcessQuarantined:
			wrong = append(wrong, fmt.Sprintf("process %d runs %q with the secrets before the newest, which made it fail", p.PID, p.Command))
		case ProcessRefused:
			wrong = append(wrong, fmt.Sprintf("process %d runs %q with the secrets before the newest, which no child can be given", p.PID, p.Command))
		}
		if p.Folder == "" || judged[p.Folder] {
			continue
		}
		judged[p.Folder] = true
		scope, ok := scopes[p.Folder]
		limit, age := maxAge, s.At.Sub(scope.LastSync)
		if !strict {
			limit = max(maxAge, intervalsPatience*scope.Interval)
		}
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("process %d runs with scope %q, whose last sync is not known", p.PID, p.Folder))
		case age < 0:
			wrong = append(wrong, fmt.Sprintf("scope %q was synced in the future: was the clock set back?", p.Folder))
		case maxAge > 0 && age > limit:
			wrong = append(wrong, fmt.Sprintf("scope %q was synced %s ago, longer than %s", p.Folder, age, limit))
		}
	}
	if len(wrong) > 0 {
		return source.Errorf(source.CodeUnhealthy, "%s", strings.Join(wrong, "; "))
	}
	return nil
}

// runsUnsynced tells whether a child runs without there being a server to ask.
func (s Status) runsUnsynced() bool {
	for _, p := range s.Processes {
		if p.Folder == "" && p.Child != 0 && p.Interval == 0 {
			return true
		}
	}
	return false
}

// nothing says that nothing was synced, and what else that may mean.
func (s Status) nothing() string {
	const instead = "nothing can be checked; where none can be written use --http and /readyz"
	switch {
	case s.Dir == "":
		return "no state directory: " + instead
	case s.Missing:
		return fmt.Sprintf("no state directory %q: %s", s.Dir, instead)
	}
	return fmt.Sprintf("nothing was synced yet in %q", s.Dir)
}
