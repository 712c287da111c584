//go:build unix

package inject

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseOnChange(t *testing.T) {
	got, err := ParseOnChange("TLS_*=signal:HUP, A=signal:usr1,B=none,C=exit,restart")
	want := []Reaction{
		{"TLS_*", ChangeSignal, syscall.SIGHUP}, {"A", ChangeSignal, syscall.SIGUSR1},
		{"B", ChangeNone, 0}, {"C", ChangeExit, 0}, {"", ChangeRestart, 0},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for bad, text := range map[string]string{
		"":                  `"" is not restart, exit, none or signal:NAME`,
		"reload":            `"reload" is not`,
		"signal":            `"signal" is not`,
		"signal:":           `"signal:" is not`,
		"signal:NOPE":       "NOPE",
		"A=restart,":        `"" is not`,
		"A":                 `"A" is not`,
		"A=B=restart":       `"B=restart" is not`,
		"=restart":          `pattern "" is not a glob`,
		"[A=restart":        `pattern "[A" is not a glob`,
		"restart,A=restar":  `"restar" is not`,
		"A=signal:HUP:none": "HUP:none",
	} {
		if got, err := ParseOnChange(bad); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseOnChange(%q) = %v, %v, want %q in the error", bad, got, err, text)
		}
	}
}

func TestReactionTo(t *testing.T) {
	const hup, usr1 = syscall.SIGHUP, syscall.SIGUSR1
	for _, test := range []struct {
		onChange string
		changed  []string
		action   ChangeAction
		signals  []syscall.Signal
	}{
		{"restart", []string{"A"}, ChangeRestart, nil},
		{"none", []string{"A", "path/like"}, ChangeNone, nil},
		{"*=none", []string{"path/like"}, ChangeNone, nil},
		{"A=signal:HUP,*=restart", []string{"A"}, ChangeSignal, []syscall.Signal{hup}},
		{"A=signal:HUP,*=restart", []string{"B"}, ChangeRestart, nil},
		{"A=signal:HUP,*=restart", []string{"A", "B"}, ChangeRestart, []syscall.Signal{hup}},
		{"A=signal:HUP,*=none", []string{"A", "B"}, ChangeSignal, []syscall.Signal{hup}},
		{"A=exit,restart", []string{"B", "A"}, ChangeExit, nil},
		// The first that matches counts, and one that none matches restarts.
		{"TLS_KEY=none,TLS_*=signal:HUP", []string{"TLS_KEY"}, ChangeNone, nil},
		{"TLS_*=signal:HUP,TLS_KEY=none", []string{"TLS_KEY"}, ChangeSignal, []syscall.Signal{hup}},
		{"TLS_*=signal:HUP", []string{"B"}, ChangeRestart, nil},
		// One signal each, however many names want it.
		{"A=signal:USR1,signal:HUP", []string{"A", "B", "C"}, ChangeSignal, []syscall.Signal{usr1, hup}},
	} {
		reactions, err := ParseOnChange(test.onChange)
		if err != nil {
			t.Fatal(err)
		}
		var names [3][]string // the same whether the names changed, came or went
		for i, name := range test.changed {
			names[i%3] = append(names[i%3], name)
		}
		action, signals := reactionTo(reactions, Changes{Changed: names[0], Added: names[1], Removed: names[2]})
		if action != test.action || !slices.Equal(signals, test.signals) {
			t.Errorf("%s: a change of %q leads to %s %v, want %s %v",
				test.onChange, test.changed, action, signals, test.action, test.signals)
		}
	}
	if action, _ := reactionTo(nil, Changes{Removed: []string{"A"}}); action != ChangeRestart {
		t.Errorf("without reactions a change leads to %s", action)
	}
}
