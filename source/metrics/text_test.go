package metrics

import (
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

func open(t *testing.T, opt Options) *Metrics {
	t.Helper()
	opt.Address, opt.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	m, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func text(t *testing.T, m *Metrics) string {
	t.Helper()
	var b strings.Builder
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFormat: the whole text, with labels that need care.
func TestFormat(t *testing.T) {
	var b strings.Builder
	err := write(&b, []family{
		{"a_total", "counter", "How many.", counted("code", map[source.Code]int{`b"\`: 2, "a\nb": 1}, "none")},
		{"empty", "gauge", "Nothing to show.", nil},
		{"at_seconds", "gauge", "When.", only(seconds(time.UnixMilli(1700000000250)))},
	})
	const want = `# HELP a_total How many.
# TYPE a_total counter
a_total{code="a\nb"} 1
a_total{code="b\"\\"} 2
a_total{code="none"} 0
# HELP at_seconds When.
# TYPE at_seconds gauge
at_seconds 1700000000.25
`
	if err != nil || b.String() != want {
		t.Errorf("got %v\n%swant\n%s", err, b.String(), want)
	}
}

// TestPromtool: the tool of Prometheus finds nothing to complain of, whether
// everything is known or nothing.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is not here")
		}
		t.Skip("promtool is not here")
	}
	full := open(t, Options{Child: true, Version: "1.0"})
	full.Polled(Changed)
	full.PollFailed(source.CodeTimeout)
	full.Erred(source.CodeStateDir)
	full.Hold("dev-1", Held{Server, 3, time.Now()})
	full.Hold("dev-2", Held{Vault, 1, time.Now()})
	full.Built("env", time.Now())
	full.Started(1, "env")
	full.Healthy(1)
	full.Quarantined(true)
	for name, m := range map[string]*Metrics{"full": full, "empty": open(t, Options{Child: true}), "sync": open(t, Options{})} {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(text(t, m))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: promtool: %v\n%s\n%s", name, err, out, text(t, m))
		}
	}
}

// TestReadme: the README lists the metrics there are, with their labels.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, Options{Child: true})
	m.Hold("dev-1", Held{Server, 1, time.Now()})
	m.PollFailed(source.CodeTimeout)
	var want []string
	for _, f := range append(m.ofSyncs(), m.child.families()...) {
		name := f.name
		if len(f.samples) > 0 && f.samples[0].labels != "" {
			name += "{" + regexp.MustCompile(`="[^"]*"`).ReplaceAllString(f.samples[0].labels, "") + "}"
		}
		want = append(want, name)
	}
	var got []string
	for _, quoted := range regexp.MustCompile("`(infisync_[a-z_]+({[a-z,_]+})?)`").FindAllStringSubmatch(string(readme), -1) {
		got = append(got, quoted[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the README has\n%q, want\n%q", got, want)
	}
}
