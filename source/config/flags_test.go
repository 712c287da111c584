package config

import (
	"flag"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// A command line is parsed alike with the flags that are in it and with all there are.
func TestFlagsOfACommandLine(t *testing.T) {
	for _, tt := range []struct {
		on   Command
		line string
		want string // the flags that are in it; "all"
	}{
		{Run, "infisync run", ""},
		{Run, "infisync run -- app --help", ""},
		{Run, "infisync run --exec -- app -e", "exec"},
		{Run, "infisync run -exec --env=dev app --env prod", "exec env"},
		{Run, "infisync run --env dev --env=prod app", "env"},
		{Run, "infisync run --prefix -- --exec -- app", "prefix exec"},
		{Run, "infisync run --env", "env"},
		{Push, "infisync push NAME --env dev -- --dry-run", "env"},
		{VaultSet, "infisync vault set NAME --state-dir dir", "state-dir"},
		{Run, "infisync run --exce -- app", "all"},
		{Run, "infisync run --watch", "all"}, // another command's
		{Run, "infisync run --exec --help", "all"},
		{Run, "infisync run -h", "all"},
		{Run, "infisync run - app", "all"},
		{Run, "infisync help run", "all"},
		{VaultSet, "infisync vault help set", "all"},
		{VaultSet, "infisync vault --help set", "all"},
		{Run, "infisync h run", "all"},
		{Run, "infisync --version run", "all"},
		{Run, "infisync", "all"},
	} {
		line := FlagsFirst(strings.Fields(tt.line))
		given, want := make(Given), make(Given)
		flags, all := Flags(tt.on, given, line)
		if all != (tt.want == "all") {
			t.Errorf("%q: all is %t", tt.line, all)
			continue
		}
		if all {
			if len(flags) != len(AllFlags(tt.on, nil)) {
				t.Errorf("%q: %d flags are all", tt.line, len(flags))
			}
			continue
		}
		var names []string
		for _, f := range flags {
			names = append(names, f.Names()...)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%q: flags %q, want %q", tt.line, got, tt.want)
		}
		rest := line[min(commandWords(line), len(line)):]
		left, err1 := parse(t, flags, rest)
		wantLeft, err2 := parse(t, AllFlags(tt.on, want), rest)
		if !slices.Equal(left, wantLeft) || !reflect.DeepEqual(given, want) || (err1 == nil) != (err2 == nil) {
			t.Errorf("%q: parsed %q %q, %v, with all flags %q %q, %v", tt.line, given, left, err1, want, wantLeft, err2)
		}
	}
}

// parse parses arguments as the library does, and returns those behind the flags.
func parse(t *testing.T, flags []cli.Flag, args []string) ([]string, error) {
	t.Helper()
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range flags {
		if err := f.Apply(set); err != nil {
			t.Fatal(err)
		}
	}
	err := set.Parse(args)
	return set.Args(), err
}

func TestMisspelled(t *testing.T) {
	got := Misspelled([]string{
		"INFISYNC_INTERVALL=5s", "INFISYNC_STATE_DIRECTORY=/s", "INFISYNC_CLIENT_SECRET=hunter2", "INFISYNC_TOKEN=hunter2",
		// Right, somebody else's, or not set.
		"INFISYNC_INTERVAL=5s", "INFISYNC_RUN=1", "INFISYNC_FORMAT=json", "INTERVALL=5s", "INFISYNC_INTERVALS=",
		"INFISYNC_SERVICE_HOST=10.0.0.1", "INFISYNC_SERVICE_PORT_HTTP=80", "INFISYNC_PORT=tcp://10.0.0.1:80", "INFISYNC_PORT_80_TCP=tcp://10.0.0.1:80",
		"INFISYNC_PROD_SERVICE_HOST=10.0.0.1", "INFISYNC_PROD_PORT=tcp://10.0.0.1:80", "INFISYNC_WORKER_COUNT=2", "INFISYNC_=", "INFISYNC_X=1", "INFISYNC_HELPER=1",
	})
	want := [][2]string{
		{"INFISYNC_INTERVALL", "INFISYNC_INTERVAL"}, {"INFISYNC_STATE_DIRECTORY", "INFISYNC_STATE_DIR"},
		{"INFISYNC_CLIENT_SECRET", "INFISICAL_CLIENT_SECRET"}, {"INFISYNC_TOKEN", "INFISICAL_TOKEN"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
