package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"infisync/source"
)

func hint(text string) func(error) string { return func(error) string { return text } }

func TestText(t *testing.T) {
	var out strings.Builder
	log := New(&out, "text", "info")
	log.Debug("not said")
	log.Info("restarting: A changed")
	log.Warn("kept", "code", "server-error", "age", "2 h", "n", 3)
	log.With("child", 7).Info("two\nlines \x1b[31m")
	log.Info("odd", "path", "a\x1b[31m")
	Failure(log, fmt.Errorf("pulling: %w", source.Errorf(source.CodeTimeout, "no answer")), hint("check the network"))
	Failure(log, errors.Join(fmt.Errorf("odd"), source.Errorf(source.CodeUsage, "even")), hint(""))
	want := `infisync: restarting: A changed
infisync: warning [server-error]: kept (age="2 h", n=3)
infisync: two lines  [31m (child=7)
infisync: odd (path="a\x1b[31m")
infisync: error [server-timeout]: pulling: no answer
infisync: hint: check the network
infisync: error [internal]: odd
infisync: error [usage]: even
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

func TestJSON(t *testing.T) {
	var out strings.Builder
	log := New(&out, "json", "debug")
	log.Debug("said")
	Failure(log, source.Errorf(source.CodeTimeout, "no\nanswer"), hint("wait"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), &out)
	}
	var last map[string]string
	if err := json.Unmarshal([]byte(lines[1]), &last); err != nil {
		t.Fatal(err)
	}
	if last["code"] != "server-timeout" || last["msg"] != "no\nanswer" || last["hint"] != "wait" || last["level"] != "ERROR" {
		t.Errorf("got %v", last)
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]string{
		"debug": "DIWE", "info": "IWE", "warn": "WE", "error": "E", "nonsense": "IWE",
	} {
		var out strings.Builder
		log := New(&out, "text", level)
		for name, at := range map[string]slog.Level{"D": slog.LevelDebug, "I": slog.LevelInfo, "W": slog.LevelWarn, "E": slog.LevelError} {
			log.Log(t.Context(), at, "level-"+name)
		}
		for _, name := range "DIWE" {
			if got := strings.Contains(out.String(), "level-"+string(name)); got != strings.ContainsRune(want, name) {
				t.Errorf("at %s: level %c was said: %v", level, name, got)
			}
		}
	}
}
