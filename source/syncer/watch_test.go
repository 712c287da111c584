package syncer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/state"
	"infisync/source/vault"
)

// A rig is a Syncer with its server, polled by hand.
type rig struct {
	*testing.T
	server *infisicaltest.Server
	syncer *Syncer
	log    *strings.Builder
}

func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	server := infisicaltest.New(t, infisicaltest.Options{})
	id, secret := server.Credentials()
	login := infisical.UniversalAuth{ClientID: id, Secret: func() (source.Value, error) { return source.NewValue(secret), nil }}
	client, err := infisical.New(infisical.Config{URL: server.URL(), Login: login, Policy: infisical.DefaultPolicy().InHaste()})
	if err != nil {
		t.Fatal(err)
	}
	key, err := vault.DeriveKey(source.NewValue(secret))
	if err != nil {
		t.Fatal(err)
	}
	log := new(strings.Builder)
	opt := Options{
		Client: client, Key: key, StateDir: filepath.Join(t.TempDir(), "state"),
		Known: source.Scope{URL: client.URL(), Method: login.Method(), Identity: login.Identity(), Imports: true, Expand: true,
			Places: []source.Place{{Project: server.Project(), Environment: "dev", Path: "/"}}},
		Fallback: source.Fallback{Vault: true}, MaxStale: 168 * time.Hour, Interval: time.Minute,
		Credential: func() (string, source.Value, error) { return id, source.NewValue(secret), nil },
		Log:        slog.New(slog.NewTextHandler(log, nil)),
	}
	if change != nil {
		change(&opt)
	}
	return &rig{t, server, New(opt), log}
}

func (r *rig) at(env, path string) source.Place {
	return source.Place{Project: r.server.Project(), Environment: env, Path: path}
}

func (r *rig) set(place source.Place, name, value string) {
	r.Helper()
	if err := r.server.MakeFolder(place); err != nil {
		r.Fatal(err)
	}
	if err := r.server.Set(place, name, value); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) start() {
	r.Helper()
	if _, err := r.syncer.Start(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// ask polls once and tells whether the snapshot changed.
func (r *rig) ask() bool {
	return r.syncer.settle(r.Context(), <-r.syncer.beginPoll(r.Context()))
}

// poll polls once; want are the names that a child would get then, and whether the
// snapshot changed.
func (r *rig) poll(changed bool, want string) {
	r.Helper()
	if got := r.ask(); got != changed {
		r.Errorf("changed = %v, want %v; log:\n%s", got, changed, r.log)
	}
	if got := r.syncer.current.Secrets.String(); got != want {
		r.Errorf("secrets %q, want %q; log:\n%s", got, want, r.log)
	}
}

func TestNamesMustVanishTwice(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.set(r.at("dev", "/"), "B", "1")
	r.start()
	r.server.Delete(r.at("dev", "/"), "B")
	r.poll(false, "A B")
	r.set(r.at("dev", "/"), "B", "1")
	r.poll(false, "A B")
	r.server.Delete(r.at("dev", "/"), "B")
	r.poll(false, "A B")
	r.set(r.at("dev", "/"), "C", "1") // the rest waits with it
	r.poll(true, "A C")
	if n := strings.Count(r.log.String(), "dropped if the next poll agrees: B"); n != 2 {
		t.Errorf("said %d times that B is in doubt, want 2:\n%s", n, r.log)
	}
}

// A pull that is not believed yet is a heartbeat for followers, and no sync: neither
// the time nor the set that the state file tells changes.
func TestDoubtedPullIsCounted(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.set(r.at("dev", "/"), "B", "1")
	r.start()
	long := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	_, err := state.Update(t.Context(), r.syncer.opt.StateDir, r.syncer.scope(), func(f *state.File) error {
		f.LastSync = long
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.server.Delete(r.at("dev", "/"), "B")
	for _, want := range []struct {
		pulls, secrets int
		synced         bool
	}{{2, 2, false}, {3, 1, true}} {
		r.ask()
		file, err := state.Read(state.Path(r.syncer.opt.StateDir, r.syncer.scope()))
		if err != nil || file.PullCount != want.pulls || len(file.Secrets) != want.secrets || file.LastSync.After(long) != want.synced {
			t.Errorf("the state file tells %d pulls, %d secrets and a sync at %s, want %+v; %v", file.PullCount, len(file.Secrets), file.LastSync, want, err)
		}
	}
}

func TestVanishedWholeIsKept(t *testing.T) {
	for _, allowEmpty := range []bool{false, true} {
		r := newRig(t, func(opt *Options) { opt.AllowEmpty = allowEmpty })
		r.set(r.at("dev", "/"), "OWN", "1")
		r.set(r.at("staging", "/shared"), "IMPORTED", "1")
		r.set(r.at("staging", "/shared"), "BOTH", "imported")
		if err := r.server.Import(r.at("dev", "/"), infisicaltest.Import{Environment: "staging", Path: "/shared"}); err != nil {
			t.Fatal(err)
		}
		r.start()
		r.server.DeleteFolder(r.at("staging", "/shared"))
		if allowEmpty {
			r.poll(false, "BOTH IMPORTED OWN")
			r.poll(true, "OWN")
			continue
		}
		r.poll(false, "BOTH IMPORTED OWN")
		r.set(r.at("dev", "/"), "BOTH", "own") // beats what the import used to give
		r.poll(true, "BOTH IMPORTED OWN")
		if both, _ := r.syncer.current.Secrets.Get("BOTH"); both.Value.Reveal() != "own" {
			t.Errorf("BOTH = %q, want the new own value", both.Value.Reveal())
		}
		if !strings.Contains(r.log.String(), "lists nothing any more: what it gave is kept") {
			t.Errorf("nothing was said:\n%s", r.log)
		}
	}
}

func TestEmptyListChangesNothing(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	lift := r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultEmptyList, Kind: infisicaltest.KindList})
	r.server.ForgetETags()
	for range 3 {
		r.poll(false, "A")
	}
	lift()
	r.set(r.at("dev", "/"), "A", "2")
	r.poll(true, "A")
}

func TestFailureIsSaidOnce(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	lift := r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 500, Kind: infisicaltest.KindList})
	for range 3 {
		r.poll(false, "A")
	}
	lift()
	r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultHTML, Kind: infisicaltest.KindList, Times: 1})
	r.poll(false, "A")
	r.poll(false, "A")
	for text, want := range map[string]int{"poll failed": 2, "answers again after 4 failed polls": 1} {
		if got := strings.Count(r.log.String(), text); got != want {
			t.Errorf("%q was said %d times, want %d:\n%s", text, got, want, r.log)
		}
	}
	file, err := state.Read(state.Path(r.syncer.opt.StateDir, r.syncer.scope()))
	if err != nil || file.ErrorCount != 4 || file.PullCount != 2 {
		t.Errorf("the state file counts %d errors and %d pulls, %v; want 4 and 2", file.ErrorCount, file.PullCount, err)
	}
}

func TestFirstPullDisagrees(t *testing.T) {
	r := newRig(t, nil)
	for _, name := range []string{"A", "B", "C"} {
		r.set(r.at("dev", "/"), name, "1")
	}
	r.start()
	again := New(r.syncer.opt)
	r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultLoseNames, Kind: infisicaltest.KindList, Names: []string{"B"}, Times: 1})
	r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultLoseNames, Kind: infisicaltest.KindList, Names: []string{"C"}, Skip: 0, Times: 1})
	snapshot, err := again.Start(t.Context())
	if err != nil || snapshot.From != FromVault || snapshot.Secrets.String() != "A B C" {
		t.Errorf("got %v from the %v, %v; want the vault's A B C", snapshot.Secrets, snapshot.From, err)
	}
}

// TestConfirmedByNotModified: a 304 counts as a pull for the vault's age, and the
// vault is sealed anew only now and then.
func TestConfirmedByNotModified(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	pulled := func() time.Time {
		contents, err := vault.Open(vault.Path(r.syncer.opt.StateDir, r.syncer.opt.Key, r.syncer.scope()), r.syncer.opt.Key, r.syncer.scope())
		if err != nil {
			t.Fatal(err)
		}
		return contents.Pulled
	}
	first := pulled()
	r.poll(false, "A")
	if got := pulled(); !got.Equal(first) {
		t.Errorf("an unchanged poll sealed the vault anew")
	}
	r.syncer.opt.Policy.Reseal = 0
	r.poll(false, "A")
	if got := pulled(); !got.After(first) {
		t.Errorf("the vault's time of pull stayed at %s", got)
	}
	if n := r.server.Count(infisicaltest.KindList304); n != 2 {
		t.Errorf("%d answers 304, want 2", n)
	}
}

// A .env file that is laid over the secrets is read at once while a poll waits for its
// next try: in an outage it is what one mends things with. And who ends the watch then
// does not wait either.
func TestEnvFileDuringOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.env")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("A=first\n")
	waits := infisical.DefaultPolicy()
	waits.ServerErrorWait, waits.MaxWait = 24*time.Hour, 48*time.Hour
	r := newRig(t, func(opt *Options) {
		opt.EnvFiles = EnvFiles{Paths: []string{path}, Named: true, Mode: "override"}
		opt.Client, opt.Interval = opt.Client.With(waits), time.Millisecond
	})
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	r.server.ResetCounts()
	r.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 500, Kind: infisicaltest.KindList})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	snapshots := r.syncer.Watch(ctx)
	if err := r.server.Wait(t.Context(), infisicaltest.KindList, 1); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"second", "third"} {
		write("A=" + value + "\n")
		snapshot := <-snapshots
		if a, _ := snapshot.Dotenv.Get("A"); a.Value.Reveal() != value {
			t.Errorf("A is %q, want the %s value", a.Value.Reveal(), value)
		}
	}
	end()
	for range snapshots {
	}
	if n := r.server.Count(infisicaltest.KindList); n != 1 {
		t.Errorf("%d listings, want the one that failed", n)
	}
}

func TestWait(t *testing.T) {
	s := New(Options{Interval: time.Minute})
	within := func(want time.Duration) {
		t.Helper()
		if got := s.wait(); got < want*9/10 || got > want*11/10 {
			t.Errorf("after %d failures (%s): wait %s, want %s give or take 10 %%", s.failures, s.kind, got, want)
		}
	}
	within(time.Minute)
	s.failures, s.kind = 1, source.CodeTimeout
	within(2 * time.Minute)
	s.failures = 2
	within(4 * time.Minute)
	s.failures = 1000
	within(5 * time.Minute)
	s.failures, s.kind = 1, source.CodeLoginRefused
	within(5 * time.Minute)
	s.opt.Interval = time.Hour
	s.failures = 3
	within(time.Hour)
}

func TestDefaultPolicy(t *testing.T) {
	want := Policy{
		HastyStart: 10 * time.Second, PatientStart: 120 * time.Second, RefusedWait: 5 * time.Minute,
		MaxBackOff: 5 * time.Minute, Jitter: 0.1, Silence: 3 * time.Second, LockWait: 30 * time.Second, Reseal: time.Hour,
	}
	if got := DefaultPolicy(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// However close polls follow each other, none relies on the connection of the one before.
func TestConnectionOfEachPoll(t *testing.T) {
	r := newRig(t, func(opt *Options) { opt.Interval = time.Second })
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	r.server.ResetCounts()
	const polls = 10
	for range polls {
		r.ask()
	}
	if n := r.server.Connections(); n != polls {
		t.Errorf("%d connections for %d polls", n, polls)
	}
}
