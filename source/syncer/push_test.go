package syncer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/state"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// inEachProfile runs a test against each kind of server there is.
func inEachProfile(t *testing.T, test func(*testing.T, infisicaltest.Profile)) {
	for _, profile := range infisicaltest.Profiles() {
		t.Run(string(profile), func(t *testing.T) { test(t, profile) })
	}
}

// emulator starts a server; change alters what it holds.
func emulator(t *testing.T, profile infisicaltest.Profile, change ...func(*infisicaltest.Seed)) *infisicaltest.Server {
	t.Helper()
	seed := infisicaltest.DefaultSeed()
	for _, f := range change {
		f(&seed)
	}
	return infisicaltest.New(t, infisicaltest.Options{Profile: profile, Seed: &seed})
}

var devRoot = source.Place{Project: infisicaltest.DefaultProjectID, Environment: "dev", Path: "/"}

// writeOptions are those of a syncer of the place devRoot of a server at url, with
// waits that a test can stand. What it logs is in log.
func writeOptions(t *testing.T, url string, log *bytes.Buffer) syncer.Options {
	t.Helper()
	policy := infisical.DefaultPolicy()
	policy.RateLimitWait, policy.ServerErrorWait, policy.ConnectionWait = 3*time.Millisecond, 2*time.Millisecond, time.Millisecond
	secret := source.NewValue(infisicaltest.DefaultClientSecret)
	client, err := infisical.New(infisical.Config{
		URL: url, Policy: policy, Login: infisical.UniversalAuth{
			ClientID: infisicaltest.DefaultClientID,
			Secret:   func() (source.Value, error) { return secret, nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	key, err := vault.DeriveKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return syncer.Options{
		Client: client,
		Known: source.Scope{
			URL: client.URL(), Method: "universal-auth", Identity: infisicaltest.DefaultClientID,
			Places: []source.Place{devRoot}, Imports: true, Expand: true,
		},
		Credential: func() (string, source.Value, error) { return infisicaltest.DefaultClientID, secret, nil },
		StateDir:   t.TempDir(),
		Key:        key,
		Log:        slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// a writing is what a push or deletion is tested with.
type writing struct {
	*infisicaltest.Server
	options syncer.Options
	log     *bytes.Buffer
}

func newWriting(t *testing.T, profile infisicaltest.Profile, change ...func(*infisicaltest.Seed)) *writing {
	t.Helper()
	w := &writing{Server: emulator(t, profile, change...), log: new(bytes.Buffer)}
	w.options = writeOptions(t, w.URL(), w.log)
	return w
}

// push pushes, with counts begun anew.
func (w *writing) push(t *testing.T, opt syncer.PushOptions) (syncer.PushReport, error) {
	t.Helper()
	w.ResetCounts()
	return syncer.New(w.options).Push(t.Context(), opt)
}

// mustPush pushes and expects no error.
func (w *writing) mustPush(t *testing.T, opt syncer.PushOptions) syncer.PushReport {
	t.Helper()
	report, err := w.push(t, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// writes is how many writing requests were answered.
func (w *writing) writes() int {
	return w.Count(infisicaltest.KindCreate) + w.Count(infisicaltest.KindUpdate) +
		w.Count(infisicaltest.KindDelete) + w.Count(infisicaltest.KindBatch)
}

// pushed makes a set from name, value, name, value …
func pushed(pairs ...string) source.Set {
	var secrets []source.Secret
	for pair := range slices.Chunk(pairs, 2) {
		secrets = append(secrets, source.Secret{Name: pair[0], Value: source.NewValue(pair[1])})
	}
	return source.NewSet(secrets...)
}

// numbered makes n secrets NAME_0000 … with a value that begins with prefix.
func numbered(n int, prefix string) source.Set {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("NAME_%04d", i), fmt.Sprintf("%s%d", prefix, i))
	}
	return pushed(pairs...)
}

// plainValues are a set's names and values.
func plainValues(set source.Set) map[string]string {
	values := make(map[string]string)
	for s := range set.All() {
		values[s.Name] = s.Value.Reveal()
	}
	return values
}

// outcomes writes results as "NAME=outcome …".
func outcomes(results []syncer.Result) string {
	var parts []string
	for _, r := range results {
		parts = append(parts, r.Name+"="+string(r.Outcome))
	}
	return strings.Join(parts, " ")
}

func wantOutcomes(t *testing.T, results []syncer.Result, want string) {
	t.Helper()
	if got := outcomes(results); got != want {
		t.Errorf("outcomes %s, want %s", got, want)
	}
}

// tally counts results by outcome.
func tally(results []syncer.Result) map[syncer.Outcome]int {
	n := make(map[syncer.Outcome]int)
	for _, r := range results {
		n[r.Outcome]++
	}
	return n
}

func wantValues(t *testing.T, s *infisicaltest.Server, at source.Place, want map[string]string) {
	t.Helper()
	got := s.Values(at)
	if maps.Equal(got, want) {
		return
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("the server holds %q under %q, want %q", got[name], name, want[name])
			break
		}
	}
	t.Errorf("the server holds %d secrets, want %d", len(got), len(want))
}

func TestPushFew(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.Set(devRoot, "OLD", "old")
		w.Set(devRoot, "SAME", "same\n")
		w.Set(devRoot, "OTHER", "stays")
		report := w.mustPush(t, syncer.PushOptions{Secrets: pushed("NEW", " n ", "OLD", "new", "SAME", " same\n\n", "batch", "b")})
		wantOutcomes(t, report.Secrets, "NEW=created OLD=updated SAME=unchanged batch=created")
		wantValues(t, w.Server, devRoot, map[string]string{"NEW": "n", "OLD": "new", "SAME": "same\n", "OTHER": "stays", "batch": "b"})
		if created, old, same := report.Secrets[0], report.Secrets[1], report.Secrets[2]; !created.Trimmed || old.Trimmed || !same.Trimmed ||
			created.Version != 1 || old.Version != 2 || same.Version != 1 {
			t.Errorf("results %+v", report.Secrets)
		}
		if report.Written() != 3 || report.Place != devRoot || w.Count(infisicaltest.KindUpdate) != 1 {
			t.Errorf("report %+v; %v", report, w.Counts())
		}
		file, err := state.Read(state.Path(w.options.StateDir, w.options.Known))
		if err != nil || file.PushCount != 3 || file.Environment != "dev" || file.PullCount != 0 {
			t.Errorf("state %+v, %v", file, err)
		}
		w.mustPush(t, syncer.PushOptions{Secrets: pushed("NEW", "x")})
		if file, _ = state.Read(state.Path(w.options.StateDir, w.options.Known)); file.PushCount != 4 {
			t.Errorf("push count %d, want 4", file.PushCount)
		}
	})
}

func TestPushThousand(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		first := numbered(1000, "value ")
		var progress []int
		report := w.mustPush(t, syncer.PushOptions{Secrets: first, Progress: func(done, total int) {
			if total != 1000 {
				t.Errorf("total %d", total)
			}
			progress = append(progress, done)
		}})
		if n := report.Written(); n != 1000 {
			t.Errorf("wrote %d", n)
		}
		t.Logf("%d requests: %v", w.Count(infisicaltest.KindAny), w.Counts())
		if n := w.Count(infisicaltest.KindAny); n > 25 {
			t.Errorf("%d requests for 1,000 names: %v", n, w.Counts())
		}
		if !slices.IsSorted(progress) || progress[len(progress)-1] != 1000 {
			t.Errorf("progress %v", progress)
		}
		wantValues(t, w.Server, devRoot, plainValues(first))

		report = w.mustPush(t, syncer.PushOptions{Secrets: first})
		want := map[infisicaltest.Kind]int{infisicaltest.KindLogin: 1, infisicaltest.KindList: 1, infisicaltest.KindAny: 2}
		if got := w.Counts(); !maps.Equal(got, want) || tally(report.Secrets)[syncer.OutcomeUnchanged] != 1000 {
			t.Errorf("again: %v, want %v; %v", got, want, tally(report.Secrets))
		}

		changed := plainValues(first)
		var pairs []string
		for i := range 10 {
			name := fmt.Sprintf("NAME_%04d", i*97)
			changed[name] = "changed"
			pairs = append(pairs, name, "changed")
		}
		again := slices.Collect(first.All())
		report = w.mustPush(t, syncer.PushOptions{Secrets: source.NewSet(append(again, slices.Collect(pushed(pairs...).All())...)...)})
		if n := report.Written(); n != 10 || w.writes() != 1 {
			t.Errorf("10 changed: wrote %d in %v", n, w.Counts())
		}
		wantValues(t, w.Server, devRoot, changed)
		for name := range changed {
			secret, _ := w.Get(devRoot, name)
			if want := map[bool]int{true: 2, false: 1}[secret.Value == "changed"]; secret.Version != want {
				t.Errorf("%s has version %d, want %d", name, secret.Version, want)
			}
		}
	})
}

// References are compared and kept as they are written, and imports do not count.
func TestPushReadsUnexpanded(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile, func(seed *infisicaltest.Seed) {
			seed.Folders = []infisicaltest.Folder{
				{Environment: "dev", Secrets: []infisicaltest.Secret{{Name: "A", Value: "one"}, {Name: "REF", Value: "${A}"}},
					Imports: []infisicaltest.Import{{Environment: "prod"}}},
				{Environment: "prod", Secrets: []infisicaltest.Secret{{Name: "P", Value: "p"}}},
			}
		})
		report := w.mustPush(t, syncer.PushOptions{Secrets: pushed("REF", "${A}", "P", "p")})
		wantOutcomes(t, report.Secrets, "P=created REF=unchanged")
		report = w.mustPush(t, syncer.PushOptions{Secrets: pushed("REF", "one")})
		wantOutcomes(t, report.Secrets, "REF=updated")
		wantValues(t, w.Server, devRoot, map[string]string{"A": "one", "REF": "one", "P": "p"})
	})
}

func TestPushDryRun(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Set(devRoot, "A", "a")
	w.Set(devRoot, "B", "b")
	report, err := w.push(t, syncer.PushOptions{DryRun: true, Secrets: pushed("A", "a", "B", "x", "C", "c")})
	wantOutcomes(t, report.Secrets, "A=unchanged B=updated C=created")
	if err != nil || w.writes() != 0 || report.Written() != 0 {
		t.Errorf("%v; %v", err, w.Counts())
	}
	if _, err := state.Read(state.Path(w.options.StateDir, w.options.Known)); err == nil {
		t.Error("a dry run has written a state file")
	}
	report, err = w.push(t, syncer.PushOptions{DryRun: true, Secrets: pushed("A:B", "a")})
	wantOutcomes(t, report.Secrets, "A:B=refused")
	if source.CodeOf(err) != source.CodeRequestRefused || !strings.Contains(err.Error(), "1 of 1 secrets in \""+devRoot.String()+"\" would not be written, \"A:B\": secret name") {
		t.Errorf("%v", err)
	}
}

func TestPushFolders(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		at := devRoot
		at.Path = "/app/db"
		w.options.Known.Places = []source.Place{at}
		_, err := w.push(t, syncer.PushOptions{Secrets: numbered(10, "v")})
		if source.CodeOf(err) != source.CodePlaceNotFound {
			t.Errorf("missing folder: %v", err)
		}
		report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(10, "v"), CreateFolders: true})
		if !report.MadeFolder || report.Written() != 10 || len(w.Values(at)) != 10 {
			t.Errorf("report %v, %+v", tally(report.Secrets), w.Values(at))
		}
		report = w.mustPush(t, syncer.PushOptions{Secrets: numbered(10, "v"), CreateFolders: true})
		if report.MadeFolder || w.writes() != 0 {
			t.Errorf("made again")
		}
		at.Environment = "dve"
		w.options.Known.Places = []source.Place{at}
		report, err = w.push(t, syncer.PushOptions{Secrets: numbered(10, "v"), CreateFolders: true})
		if source.CodeOf(err) != source.CodePlaceNotFound || !strings.Contains(err.Error(), `has no environment "dve": it has dev, staging, prod`) {
			t.Errorf("missing environment: %v", err)
		}
		if n := report.Written(); n != 0 {
			t.Errorf("wrote %d", n)
		}
	})
	w := newWriting(t, infisicaltest.Current)
	at := devRoot
	at.Path = "/app"
	w.options.Known.Places = []source.Place{at}
	report := w.mustPush(t, syncer.PushOptions{Secrets: pushed("A", "a"), CreateFolders: true, DryRun: true})
	wantOutcomes(t, report.Secrets, "A=created")
	if !report.MadeFolder || w.Values(at) != nil {
		t.Error("a dry run does not say that it would make the folder, or makes it")
	}
}

// What cannot be pushed at all, before anything is asked or written.
func TestPushNeedsOnePlace(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	good := w.options
	for name, tt := range map[string]struct {
		change func(*syncer.Options)
		want   source.Code
	}{
		"no server":    {func(o *syncer.Options) { o.Client = nil }, source.CodeNothingConfigured},
		"two places":   {func(o *syncer.Options) { o.Known.Places = []source.Place{devRoot, devRoot} }, source.CodeUsage},
		"all projects": {func(o *syncer.Options) { o.AllProjects = true }, source.CodeUsage},
		"no place":     {func(o *syncer.Options) { o.Known.Places = nil }, source.CodeNoEnvironment},
	} {
		w.options = good
		tt.change(&w.options)
		_, err := w.push(t, syncer.PushOptions{Secrets: pushed("A", "a")})
		if source.CodeOf(err) != tt.want || w.writes() != 0 {
			t.Errorf("%s: %v", name, err)
		}
		w.ResetCounts()
		if _, err = syncer.New(w.options).Delete(t.Context(), syncer.DeleteOptions{Names: []string{"A"}}); source.CodeOf(err) != tt.want {
			t.Errorf("%s: deleting: %v", name, err)
		}
	}
	// The only project of the identity need not be named.
	w.options = good
	w.options.Known.Places = []source.Place{{Environment: "dev", Path: "/"}}
	if report := w.mustPush(t, syncer.PushOptions{Secrets: pushed("A", "a")}); report.Place != devRoot {
		t.Errorf("pushed to %v", report.Place)
	}
}

// A context that ends leaves nothing unsaid.
func TestPushCancelled(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	defer w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultHang, Kind: infisicaltest.KindBatch, Skip: 1})()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		if w.WaitArrived(ctx, infisicaltest.KindBatch, 2) == nil {
			cancel()
		}
	}()
	report, err := syncer.New(w.options).Push(ctx, syncer.PushOptions{Secrets: numbered(300, "v")})
	want := map[syncer.Outcome]int{syncer.OutcomeCreated: 100, syncer.OutcomeUnknown: 100, syncer.OutcomeNotTried: 100}
	if got := tally(report.Secrets); !maps.Equal(got, want) || !errors.Is(err, context.Canceled) {
		t.Errorf("outcomes %v, want %v; %v", got, want, err)
	}
	file, _ := state.Read(state.Path(w.options.StateDir, w.options.Known))
	if file.PushCount != 100 {
		t.Errorf("push count %d, want 100", file.PushCount)
	}
}
