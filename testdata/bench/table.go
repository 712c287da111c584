//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A row is one line of the table of targets.
type row struct {
	what, target, measured string
	share                  float64 // of the target; above 1 it is missed
}

// target notes one measurement and what share of its target it takes.
func (b *bench) target(what, target, measured string, share float64) {
	b.rows = append(b.rows, row{what, target, measured, share})
}

func (r row) met() bool { return r.share <= 1 }

func (b *bench) met() (n int) {
	for _, r := range b.rows {
		if r.met() {
			n++
		}
	}
	return n
}

func cells(rows []row) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		verdict := "met"
		if !r.met() {
			verdict = "MISSED"
		}
		out[i] = []string{r.what, r.target, r.measured, fmt.Sprintf("%.2f", r.share), verdict}
	}
	return out
}

// printTable prints a table in Markdown, aligned.
func printTable(w io.Writer, head []string, rows [][]string) error {
	widths := make([]int, len(head))
	for _, cells := range append([][]string{head}, rows...) {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	line := func(cells []string) {
		for i, cell := range cells {
			out.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		out.WriteString("|\n")
	}
	line(head)
	for _, width := range widths {
		out.WriteString("| " + strings.Repeat("-", max(width, 3)) + " ")
	}
	out.WriteString("|\n")
	for _, cells := range rows {
		line(cells)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// quantile is the value below which the share q of all lies; all must not be empty.
func quantile[T int | int64 | float64 | time.Duration](all []T, q float64) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func median[T int | int64 | float64 | time.Duration](all []T) T { return quantile(all, 0.5) }

// ms shows d in milliseconds.
func ms(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// spread shows the median of all in milliseconds, and the quartiles.
func spread(all []time.Duration) string {
	return fmt.Sprintf("%s (%s–%s)", ms(median(all)), ms(quantile(all, 0.25)), ms(quantile(all, 0.75)))
}

// mib shows a number of KiB in MiB.
func mib(kib int) string { return fmt.Sprintf("%.1f", float64(kib)/1024) }
