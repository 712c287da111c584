package syncer_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/state"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// remove deletes names, with counts begun anew.
func (w *writing) remove(t *testing.T, names ...string) (syncer.DeleteReport, error) {
	t.Helper()
	w.ResetCounts()
	return syncer.New(w.options).Delete(t.Context(), syncer.DeleteOptions{Names: names})
}

// vault opens the vault; with none yet it is empty.
func (w *writing) vault(t *testing.T) vault.Contents {
	t.Helper()
	contents, err := vault.Open(vault.Path(w.options.StateDir, w.options.Key, w.options.Known), w.options.Key, w.options.Known)
	if err != nil && source.CodeOf(err) != source.CodeVaultMissing {
		t.Fatal(err)
	}
	return contents
}

// pull makes what the server holds the vault's pulled set.
func (w *writing) pull(t *testing.T) {
	t.Helper()
	if _, err := syncer.New(w.options).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *writing) restore(t *testing.T, names ...string) source.Set {
	t.Helper()
	set, err := syncer.New(w.options).Restore(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestDelete(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		for name, value := range map[string]string{"A": canary + "a", "B": canary + "b", "C": "c", "batch": "d"} {
			w.Set(devRoot, name, value)
		}
		w.pull(t)
		var forgotten []string
		w.ResetCounts()
		report, err := syncer.New(w.options).Delete(t.Context(), syncer.DeleteOptions{
			Names: []string{"B", "A", "NONE", "B", "batch"},
			Forget: func(place source.Place, name string) error {
				forgotten = append(forgotten, place.String()+" "+name)
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, report.Secrets, "B=deleted A=deleted NONE=already-gone batch=deleted")
		wantValues(t, w.Server, devRoot, map[string]string{"C": "c"})
		if want := []string{devRoot.String() + " B", devRoot.String() + " A", devRoot.String() + " NONE", devRoot.String() + " batch"}; !slices.Equal(forgotten, want) {
			t.Errorf("forgotten %q, want %q", forgotten, want)
		}
		for _, r := range report.Secrets {
			if r.Restorable != (r.Name != "NONE") {
				t.Errorf("%+v", r)
			}
		}
		// Every process that follows the state file finds in the vault what it announces.
		contents := w.vault(t)
		file, err := state.Read(state.Path(w.options.StateDir, w.options.Known))
		if got := contents.Set.String(); got != "C" || err != nil || file.Digest() != (state.Hasher{}).Digest(contents.Set) {
			t.Errorf("the vault holds %s; %v", got, err)
		}
		if file.PushCount != 0 || len(contents.Deleted) != 3 {
			t.Errorf("push count %d, %d deleted", file.PushCount, len(contents.Deleted))
		}
		report, err = w.remove(t, "A", "B")
		wantOutcomes(t, report.Secrets, "A=already-gone B=already-gone")
		if err != nil || w.writes() != 0 || !report.Secrets[0].Restorable || len(w.vault(t).Deleted) != 3 {
			t.Errorf("deleted twice: %v; %v", err, w.Counts())
		}
		if got := w.restore(t, "A", "batch"); !maps.Equal(plainValues(got), map[string]string{"A": canary + "a", "batch": "d"}) {
			t.Errorf("restored %v", got)
		}
		local := w.vault(t).Local
		if value := local["A"].Value; value.Reveal() != canary+"a" || len(local) != 2 || time.Since(local["A"].Set) > time.Hour {
			t.Errorf("local values %v", local)
		}
		_, err = syncer.New(w.options).Restore(t.Context(), []string{"B", "A"})
		if source.CodeOf(err) != source.CodeSecretNotFound || err.Error() != `the vault holds nothing deleted under "A"` {
			t.Errorf("restored twice: %v", err)
		}
		if _, there := w.vault(t).Local["B"]; there {
			t.Error("one name was restored, although another could not be")
		}
	})
}

func TestDeleteMany(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		if err := w.SetAll(devRoot, plainValues(numbered(250, canary))); err != nil {
			t.Fatal(err)
		}
		// One batch is refused, and of another the answer is lost.
		w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 400, Message: "no", Kind: infisicaltest.KindBatch, Times: 1})
		w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultResetAfter, Kind: infisicaltest.KindBatch, Skip: 1, Times: 1})
		report, err := w.remove(t, numbered(249, "").Names()...)
		if err != nil || tally(report.Secrets)[syncer.OutcomeDeleted] != 249 {
			t.Errorf("%v; %v", tally(report.Secrets), err)
		}
		wantValues(t, w.Server, devRoot, map[string]string{"NAME_0249": canary + "249"})
		if n := len(w.vault(t).Deleted); n != 249 {
			t.Errorf("%d values kept", n)
		}
		if n := w.Count(infisicaltest.KindBatch); n != 5 { // one of them in halves
			t.Errorf("%d batches", n)
		}
	})
}

// What others delete meanwhile is gone already.
func TestDeleteRaces(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, n := range []int{3, 30} {
			w := newWriting(t, profile)
			if err := w.SetAll(devRoot, plainValues(numbered(n, canary))); err != nil {
				t.Fatal(err)
			}
			w.inFront(t, func(_ http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
				if r.Method == http.MethodDelete {
					w.Server.Delete(devRoot, "NAME_0001")
				}
				return false
			})
			report, err := w.remove(t, numbered(n, "").Names()...)
			if got := tally(report.Secrets); err != nil || got[syncer.OutcomeDeleted] != n-1 || got[syncer.OutcomeGone] != 1 || len(w.Values(devRoot)) != 0 {
				t.Errorf("%v; %v", got, err)
			}
		}
	})
}

// Where nobody can tell whether a secret is deleted, its value is kept.
func TestDeleteUnknown(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Set(devRoot, "A", canary)
	w.pull(t)
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultResetAfter, Kind: infisicaltest.KindDelete})
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultReset, Kind: infisicaltest.KindList, Skip: 1})
	report, err := w.remove(t, "A")
	wantOutcomes(t, report.Secrets, "A=unknown")
	if contents := w.vault(t); source.CodeOf(err) != source.CodeUnreachable || contents.Set.Len() != 1 || len(contents.Deleted) != 1 {
		t.Errorf("%v; the vault holds %v and %d deleted", err, contents.Set, len(contents.Deleted))
	}
}

// A vault that does not open is set aside, and the value kept in a new one.
func TestDeleteDamagedVault(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Set(devRoot, "A", canary)
	w.pull(t)
	if err := os.WriteFile(vault.Path(w.options.StateDir, w.options.Key, w.options.Known), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := w.remove(t, "A")
	if err != nil || !report.Secrets[0].Restorable || !strings.Contains(w.log.String(), "did not open and was kept as") {
		t.Errorf("%+v; %v; logged %s", report, err, w.log)
	}
}

// An empty listing of an old server is no proof that a name is gone.
func TestDeleteFromEmptyPlace(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, names := range [][]string{{"A", "B"}, {"A", "B", "C", "D", "E", "F"}} {
			w := newWriting(t, profile)
			report, err := w.remove(t, names...)
			if n := tally(report.Secrets)[syncer.OutcomeGone]; n != len(names) || err != nil {
				t.Errorf("%s; %v", outcomes(report.Secrets), err)
			}
			for path, env := range map[string]string{"/nowhere": "dev", "/": "dve"} {
				at := source.Place{Project: devRoot.Project, Environment: env, Path: path}
				w.options.Known.Places = []source.Place{at}
				report, err = w.remove(t, names...)
				if source.CodeOf(err) != source.CodePlaceNotFound || tally(report.Secrets)[syncer.OutcomeGone] != 0 {
					t.Errorf("%s: %s; %v", at, outcomes(report.Secrets), err)
				}
				if _, err := os.Stat(vault.Path(w.options.StateDir, w.options.Key, w.options.Known)); err == nil {
					t.Errorf("%s: a vault was made", at)
				}
			}
		}
	})
}

// What is not deleted on the server stays in the vault as it was.
func TestDeleteRefused(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.Set(devRoot, "A", canary)
		w.pull(t)
		lift := w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403, Kind: infisicaltest.KindDelete})
		called := false
		report, err := syncer.New(w.options).Delete(t.Context(), syncer.DeleteOptions{
			Names: []string{"A"}, Forget: func(source.Place, string) error { called = true; return nil },
		})
		wantOutcomes(t, report.Secrets, "A=refused")
		if source.CodeOf(err) != source.CodeAccessDenied || called || strings.Contains(fmt.Sprint(err, report), canary) {
			t.Errorf("forgotten %v; %v", called, err)
		}
		lift()
		if err := w.RequireApproval(devRoot, true); err != nil {
			t.Fatal(err)
		}
		report, err = w.remove(t, "A")
		wantOutcomes(t, report.Secrets, "A=awaiting-approval")
		if contents := w.vault(t); err != nil || contents.Set.Len() != 1 || len(contents.Deleted) != 0 {
			t.Errorf("%v; the vault holds %v and %d deleted", err, contents.Set, len(contents.Deleted))
		}
	})
}

// The value that is restored is what was written on the server, not what its
// references stood for.
func TestDeleteKeepsReferences(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.SetAll(devRoot, map[string]string{"A": "one", "REF": "${A} two"})
		w.pull(t)
		if got, _ := w.vault(t).Set.Get("REF"); got.Value.Reveal() != "one two" {
			t.Fatalf("pulled %q", got.Value.Reveal())
		}
		if _, err := w.remove(t, "REF"); err != nil {
			t.Fatal(err)
		}
		w.mustPush(t, syncer.PushOptions{Secrets: w.restore(t, "REF")})
		wantValues(t, w.Server, devRoot, map[string]string{"A": "one", "REF": "${A} two"})
	})
}

// What another place or an import gives under the name stays: a child started from
// the vault gets a whole set.
func TestDeleteLeavesOthers(t *testing.T) {
	w := newWriting(t, infisicaltest.Current, func(seed *infisicaltest.Seed) {
		seed.Folders = []infisicaltest.Folder{
			{Environment: "dev", Secrets: []infisicaltest.Secret{{Name: "OWN", Value: "1"}, {Name: "BOTH", Value: "dev's"}},
				Imports: []infisicaltest.Import{{Environment: "prod"}}},
			{Environment: "prod", Secrets: []infisicaltest.Secret{{Name: "BOTH", Value: "prod's"}, {Name: "IMPORTED", Value: "2"}}},
		}
	})
	w.pull(t)
	report, err := w.remove(t, "BOTH", "IMPORTED", "OWN")
	wantOutcomes(t, report.Secrets, "BOTH=deleted IMPORTED=already-gone OWN=deleted")
	if got := w.vault(t).Set.String(); err != nil || got != "BOTH IMPORTED" {
		t.Errorf("the vault holds %q; %v", got, err)
	}
	if got := w.restore(t, "BOTH"); plainValues(got)["BOTH"] != "dev's" {
		t.Errorf("restored %q", plainValues(got))
	}
}

// Where nothing can be kept, a deletion says so; where it should be and cannot,
// nothing is deleted.
func TestDeleteWithoutVault(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	good := w.options
	for name, tt := range map[string]struct {
		change func(*syncer.Options)
		want   string
	}{
		"no key":       {func(o *syncer.Options) { o.Key = vault.Key{} }, "there is no key for a vault"},
		"no directory": {func(o *syncer.Options) { o.StateDir = "" }, "there is no state directory that can be written"},
	} {
		w.Set(devRoot, "A", canary)
		w.options = good
		tt.change(&w.options)
		report, err := w.remove(t, "A")
		if err != nil || report.NotKept != tt.want || report.Secrets[0].Restorable {
			t.Errorf("%s: %+v; %v", name, report, err)
		}
	}
	w.options = good
	w.Set(devRoot, "A", canary)
	folder := filepath.Join(w.options.StateDir, w.options.Known.Folder())
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // where a folder should be
		t.Fatal(err)
	}
	report, err := w.remove(t, "A")
	if source.CodeOf(err) != source.CodeStateDir || !strings.HasPrefix(err.Error(), "nothing is deleted, since the values cannot be kept: ") ||
		w.writes() != 0 || report.Secrets[0].Outcome != "" {
		t.Errorf("%v; %+v", err, report)
	}
	_, err = syncer.New(w.options).Restore(t.Context(), []string{"A"})
	if err == nil {
		t.Error("restored from nowhere")
	}
	w.options.Key = vault.Key{}
	if _, err = syncer.New(w.options).Restore(t.Context(), []string{"A"}); source.CodeOf(err) != source.CodeVaultNoKey {
		t.Errorf("no key: %v", err)
	}
}

// A failure after the server's part does not hide it.
func TestDeleteForgetFails(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Set(devRoot, "A", canary)
	broken := errors.New("broken")
	report, err := syncer.New(w.options).Delete(t.Context(), syncer.DeleteOptions{
		Names: []string{"A"}, Forget: func(source.Place, string) error { return broken },
	})
	wantOutcomes(t, report.Secrets, "A=deleted")
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	var out bytes.Buffer
	if err := report.Write(&out, "text"); err != nil || out.String() != "deleted A (can be restored for 30 days)\ndeleted from \""+devRoot.String()+"\": 1 deleted\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
