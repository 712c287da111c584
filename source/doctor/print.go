package doctor

import (
	"fmt"
	"io"
	"strings"

	"infisync/source"
)

// WriteJSON prints the report as one JSON array of items.
func (r Report) WriteJSON(w io.Writer) error {
	if r == nil {
		r = Report{}
	}
	return source.WriteJSON(w, r)
}

// WriteText prints one line for each item, a remedy below what needs one, and the
// counts.
func (r Report) WriteText(w io.Writer) error {
	label := map[Result]string{OK: "ok", Warning: "warning", Failed: "FAILED", Skipped: "skipped"}
	width := 0
	for _, item := range r {
		width = max(width, len(item.Name))
	}
	var b strings.Builder
	counts := make(map[Result]int)
	for _, item := range r {
		counts[item.Result]++
		text := source.Line(item.Text)
		if item.Code != "" {
			text = "[" + string(item.Code) + "] " + text
		}
		fmt.Fprintf(&b, "%-*s  %-7s  %s\n", width, item.Name, label[item.Result], text)
		if item.Remedy != "" {
			fmt.Fprintf(&b, "%-*s  remedy: %s\n", width, "", source.Line(item.Remedy))
		}
	}
	fmt.Fprintf(&b, "ok: %d, warnings: %d, failed: %d, skipped: %d\n", counts[OK], counts[Warning], counts[Failed], counts[Skipped])
	_, err := io.WriteString(w, b.String())
	return err
}
