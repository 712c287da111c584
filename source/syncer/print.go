package syncer

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"infisync/source"
	"infisync/source/infisical"
)

// Write writes what the push did to w: in format "text" a line for each name and
// one of summary, in "json" one object.
func (r PushReport) Write(w io.Writer, format string) error {
	done := "pushed to"
	switch {
	case r.DryRun && r.MadeFolder:
		done = "would make the folder and push to"
	case r.DryRun:
		done = "would push to"
	case r.MadeFolder:
		done = "made the folder and pushed to"
	}
	return writeReport(w, format, report{
		Place: placeJSON(r.Place), DryRun: r.DryRun, MadeFolder: r.MadeFolder, Secrets: r.Secrets, done: done,
	})
}

// Write writes what the deletion did to w, in the formats of PushReport.Write.
func (r DeleteReport) Write(w io.Writer, format string) error {
	return writeReport(w, format, report{
		Place: placeJSON(r.Place), NotKept: r.NotKept, Secrets: r.Secrets, done: "deleted from",
	})
}

// A report is what both commands write.
type report struct {
	Place      placeJSON       `json:"place"`
	DryRun     bool            `json:"dry_run"`
	MadeFolder bool            `json:"made_folder"`
	NotKept    string          `json:"not_kept,omitempty"`
	Secrets    []Result        `json:"secrets"`
	Summary    map[Outcome]int `json:"summary"`

	done string // what the summary begins with
}

type placeJSON struct {
	Project     string `json:"project"`
	Environment string `json:"environment"`
	Path        string `json:"path"`
}

func writeReport(w io.Writer, format string, r report) error {
	switch format {
	case "json":
		r.Summary = make(map[Outcome]int)
		for _, result := range r.Secrets {
			r.Summary[result.Outcome]++
		}
		if r.Secrets == nil {
			r.Secrets = []Result{}
		}
		return source.WriteJSON(w, r)
	case "text":
		_, err := io.WriteString(w, r.text())
		return err
	}
	return source.NoFormat(format, "text", "json")
}

// ShowProgress returns a function for the options' Progress that keeps a line of the
// terminal w up to date and takes it away at the end. Verb begins it: "pushing".
// Of a few secrets nothing is shown, since that is over at once.
func ShowProgress(w io.Writer, verb string) func(done, total int) {
	const clearLine = "\r\x1b[K"
	return func(done, total int) {
		switch {
		case total <= fewChanges:
		case done == total:
			io.WriteString(w, clearLine)
		default:
			fmt.Fprintf(w, clearLine+"infisync: %s %d of %d", verb, done, total)
		}
	}
}

// outcomes are in the order of the summary.
var outcomes = [...]Outcome{
	OutcomeCreated, OutcomeUpdated, OutcomeDeleted, OutcomeUnchanged, OutcomeGone,
	OutcomeAwaiting, OutcomeRefused, OutcomeUnknown, OutcomeNotTried,
}

func (r report) text() string {
	var b strings.Builder
	for _, result := range r.Secrets {
		b.WriteString(result.line(r.DryRun) + "\n")
	}
	var parts []string
	for _, outcome := range outcomes {
		if n := count(r.Secrets, outcome); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome.words()))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	fmt.Fprintf(&b, "%s %q: %s\n", r.done, source.Place(r.Place), strings.Join(parts, ", "))
	if r.NotKept != "" {
		fmt.Fprintf(&b, "the vault does not have the deleted values: %s\n", r.NotKept)
	}
	return b.String()
}

// words is the outcome for people.
func (o Outcome) words() string { return strings.ReplaceAll(string(o), "-", " ") }

// line is "created NAME (…)", in a dry run "would create NAME (…)".
func (r Result) line(planned bool) string {
	verb := r.Outcome.words()
	if planned && (r.Outcome == OutcomeCreated || r.Outcome == OutcomeUpdated) {
		verb = "would " + strings.TrimSuffix(verb, "d")
	}
	line := verb + " " + source.Word(r.Name)
	var notes []string
	if r.Given != "" {
		notes = append(notes, "given as "+source.Word(r.Given))
	}
	if r.Version > 0 && (r.Outcome == OutcomeCreated || r.Outcome == OutcomeUpdated) {
		notes = append(notes, "version "+strconv.Itoa(r.Version))
	}
	if r.Trimmed && !r.Outcome.failed() {
		notes = append(notes, "the server keeps it without the white space around it")
	}
	if r.Restorable {
		notes = append(notes, "can be restored for 30 days")
	}
	if len(notes) > 0 {
		line += " (" + strings.Join(notes, "; ") + ")"
	}
	if r.Reason != "" {
		line += ": " + r.Reason
	}
	return line
}

// printable is a text of several words as it is, quoted when it has more in it
// than a terminal prints.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// WriteProjects writes projects with their environments to w: in format "text" a
// line for each, in "json" an array.
func WriteProjects(w io.Writer, format string, projects []infisical.Project) error {
	switch format {
	case "json":
		if projects == nil {
			projects = []infisical.Project{}
		}
		return source.WriteJSON(w, projects)
	case "text":
	default:
		return source.NoFormat(format, "text", "json")
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tENVIRONMENTS")
	for _, p := range projects {
		fmt.Fprintf(table, "%s\t%s\t%s\n", printable(p.ID), printable(p.Name), printable(strings.Join(slugs(p), ", ")))
	}
	table.Flush() // a bytes.Buffer takes all
	_, err := w.Write(text.Bytes())
	return err
}
