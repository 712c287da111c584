// Package report writes what infisync says, on standard error: messages prefixed
// "infisync:" or JSON lines, through log/slog, and the last word of a command
// that failed: an error with its stable code, and a hint what to do.
package report

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"

	"infisync/source"
)

// New returns a logger that writes to w. Format is "text" or "json"; level is
// "debug", "info", "warn" or "error". Text on a terminal has the words error and warning
// in colour, unless NO_COLOR is set or TERM names no terminal that has any.
func New(w io.Writer, format, level string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least}))
	}
	return slog.New(&textHandler{out: newOut(w), least: least})
}

// Failure logs a failure with its code, and what hint tells of it unless that is
// empty. Of errors that were joined it logs each.
func Failure(log *slog.Logger, err error, hint func(error) string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			Failure(log, err, hint)
		}
		return
	}
	err = named(err)
	attrs := []any{slog.String("code", string(source.CodeOf(err)))}
	if text := hint(err); text != "" {
		attrs = append(attrs, slog.String("hint", text))
	}
	log.Error(err.Error(), attrs...)
}

// named gives its code to a failure to write to standard output, which whoever writes
// there passes on as it came.
func named(err error) error {
	var failed *fs.PathError
	if source.CodeOf(err) == source.CodeInternal && errors.As(err, &failed) && failed.Path == os.Stdout.Name() {
		return source.Errorf(source.CodeExportFile, "writing to standard output: %w", failed.Err)
	}
	return err
}

// out is shared by a handler and those derived from it.
type out struct {
	mu      sync.Mutex
	w       io.Writer
	colours func() bool // asks once, when something is to be coloured: few starts say anything
}

func newOut(w io.Writer) *out {
	return &out{w: w, colours: sync.OnceValue(func() bool { return hasColours(w) })}
}

func hasColours(w io.Writer) bool {
	file, ok := w.(*os.File)
	dumb := os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb"
	// A console of Windows shows the codes themselves until it is told otherwise.
	return ok && !dumb && os.Getenv("NO_COLOR") == "" && runtime.GOOS != "windows" && term.IsTerminal(int(file.Fd()))
}

// textHandler writes "infisync: message (key=value, …)". Of an error the
// attributes code and hint become "infisync: error [code]: message" and a line
// "infisync: hint: …".
type textHandler struct {
	*out
	least slog.Level
	attrs []slog.Attr
}

func (h *textHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	derived.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &derived
}

// WithGroup is not used by infisync: the attributes stay flat.
func (h *textHandler) WithGroup(string) slog.Handler { return h }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var code, hint string
	var rest []string
	add := func(a slog.Attr) bool {
		switch text := a.Value.Resolve().String(); a.Key {
		case "code":
			code = text
		case "hint":
			hint = text
		default:
			rest = append(rest, a.Key+"="+quoted(text))
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)

	var b strings.Builder
	b.WriteString("infisync: ")
	b.WriteString(h.label(r.Level, code))
	b.WriteString(source.Line(r.Message))
	if len(rest) > 0 {
		b.WriteString(" (" + strings.Join(rest, ", ") + ")")
	}
	b.WriteByte('\n')
	if hint != "" {
		b.WriteString("infisync: hint: " + source.Line(hint) + "\n")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *textHandler) label(level slog.Level, code string) string {
	const red, yellow, plain = "\x1b[1;31m", "\x1b[33m", "\x1b[0m"
	var name, colour string
	switch {
	case level >= slog.LevelError:
		name, colour = "error", red
	case level >= slog.LevelWarn:
		name, colour = "warning", yellow
	case level < slog.LevelInfo:
		name = "debug"
	default:
		return "" // a code is there to be looked up when something is wrong
	}
	if colour != "" && h.colours() {
		name = colour + name + plain
	}
	if code != "" {
		name += " [" + code + "]"
	}
	return name + ": "
}

func quoted(s string) string {
	awkward := func(r rune) bool { return !strconv.IsPrint(r) || strings.ContainsRune(" \",()=", r) }
	if s == "" || strings.ContainsFunc(s, awkward) {
		return strconv.Quote(s)
	}
	return s
}
