package state

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"infisync/source"
)

// digestShown is how many hex digits of a digest are shown to people.
const digestShown = 12

// Write writes the status to w: in format "text" a paragraph for each scope and a
// table of the processes, in "json" one object, in which ages are in seconds and
// what is not known is left out. Whatever a name holds, it moves no terminal's
// cursor. Errors are w's, or have source.CodeUsage for a format there is not.
func (s Status) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return source.WriteJSON(w, s.asJSON())
	case "text":
	default:
		return source.NoFormat(format, "text", "json")
	}
	var out bytes.Buffer
	for _, scope := range s.Scopes {
		scope.write(&out, s.At)
		out.WriteByte('\n')
	}
	if len(s.Scopes) == 0 {
		out.WriteString("nothing was synced yet\n\n")
	}
	s.writeProcesses(&out)
	_, err := w.Write(out.Bytes())
	return err
}

// WriteProcesses writes the processes to w: in format "text" a table with the first
// 12 digits of the digests, in "json" an array. Otherwise it is like Write.
func (s Status) WriteProcesses(w io.Writer, format string) error {
	switch format {
	case "json":
		return source.WriteJSON(w, append([]Process{}, s.Processes...))
	case "text":
	default:
		return source.NoFormat(format, "text", "json")
	}
	var out bytes.Buffer
	s.writeProcesses(&out)
	_, err := w.Write(out.Bytes())
	return err
}

func (s Status) writeProcesses(out *bytes.Buffer) {
	if len(s.Processes) == 0 {
		out.WriteString("no infisync process runs\n")
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PID\tCHILD\tCOMMAND\tSCOPE\tDIGEST\tSINCE\tRESTARTS\tSTATE")
	for _, p := range s.Processes {
		child := "-"
		if p.Child != 0 {
			child = strconv.Itoa(p.Child)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", p.PID, child, shown(p.Command), shown(p.Folder),
			shown(p.Digest[:min(len(p.Digest), digestShown)]), shownTime(p.Since), p.Restarts, p.State)
	}
	table.Flush() // a bytes.Buffer takes all
}

// write writes a paragraph of a line for each fact.
func (s ScopeStatus) write(out *bytes.Buffer, now time.Time) {
	projects := make([]string, len(s.ProjectIDs))
	for i, id := range s.ProjectIDs {
		projects[i] = shown(id)
	}
	secrets := strconv.Itoa(s.Secrets)
	if s.Digest != "" {
		secrets += ", digest " + s.Digest[:digestShown]
	}
	fmt.Fprintln(out, shown(s.Folder))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  environment\t%s\n", shown(s.Environment))
	fmt.Fprintf(table, "  projects\t%s\n", strings.Join(projects, ", "))
	fmt.Fprintf(table, "  last sync\t%s\n", shownAge(s.LastSync, now, "never"))
	fmt.Fprintf(table, "  secrets\t%s\n", secrets)
	fmt.Fprintf(table, "  counts\t%d pulled, %d pushed, %d failed\n", s.PullCount, s.PushCount, s.ErrorCount)
	fmt.Fprintf(table, "  vault written\t%s\n", shownAge(s.VaultWritten, now, "there is none"))
	if s.Damaged {
		fmt.Fprintln(table, "  damaged\tthe state file cannot be read, or only in part")
	}
	table.Flush()
}

// shown is a name as it is when it is plain, else quoted: no name may move a
// terminal's cursor or seem to be several columns.
func shown(name string) string {
	if name == "" {
		return "-"
	}
	return source.Word(name)
}

func shownTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

// shownAge is a time and how long ago it was; never stands for the zero time.
func shownAge(at, now time.Time, never string) string {
	if at.IsZero() {
		return never
	}
	age := now.Sub(at)
	if age < 0 {
		return shownTime(at) + ", in the future"
	}
	ago := age.Truncate(time.Second).String()
	if age >= time.Hour {
		ago = strings.TrimSuffix(age.Truncate(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%s, %s ago", shownTime(at), ago)
}

// scopeJSON is a ScopeStatus with its ages.
type scopeJSON struct {
	ScopeStatus
	Age      *int64 `json:"age_seconds,omitempty"`
	VaultAge *int64 `json:"vault_age_seconds,omitempty"`
}

func (s Status) asJSON() any {
	age := func(at time.Time) *int64 {
		if at.IsZero() {
			return nil
		}
		seconds := int64(s.At.Sub(at) / time.Second)
		return &seconds
	}
	scopes := make([]scopeJSON, len(s.Scopes))
	for i, scope := range s.Scopes {
		scope.ProjectIDs = append([]string{}, scope.ProjectIDs...)
		scopes[i] = scopeJSON{scope, age(scope.LastSync), age(scope.VaultWritten)}
	}
	return struct {
		At        time.Time   `json:"at"`
		Scopes    []scopeJSON `json:"scopes"`
		Processes []Process   `json:"processes"`
	}{s.At, scopes, append([]Process{}, s.Processes...)}
}
