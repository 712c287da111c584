//go:build unix

package syncer_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
)

// These make the test binary a process that writes until it is killed.
const (
	killedVariable = "SYNCER_TEST_WRITE_TO"  // URL of the server
	workVariable   = "SYNCER_TEST_WRITE"     // "push" or "delete"
	stateVariable  = "SYNCER_TEST_STATE_DIR" // its state directory
)

// TestKilledProcess is that process, and nothing otherwise.
func TestKilledProcess(t *testing.T) {
	url := os.Getenv(killedVariable)
	if url == "" {
		t.Skip("not started by another test")
	}
	options := writeOptions(t, url, new(bytes.Buffer))
	options.StateDir = os.Getenv(stateVariable)
	writer := syncer.New(options)
	var err error
	if os.Getenv(workVariable) == "push" {
		_, err = writer.Push(t.Context(), syncer.PushOptions{Secrets: numbered(450, canary)})
	} else {
		_, err = writer.Delete(t.Context(), syncer.DeleteOptions{Names: numbered(450, "").Names()})
	}
	t.Fatalf("not killed: %v", err)
}

// Killed at any request, before or after it took effect, and run again, a push
// leaves what one undisturbed push leaves.
func TestPushKilled(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, at := range []struct {
			path string // of the request, a part of it
			skip int    // such requests before it
		}{{"/login", 0}, {"/secrets", 0}, {"/batch", 0}, {"/batch", 2}, {"/batch", 4}} {
			for _, took := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d took effect %v", at.path[1:], at.skip, took), func(t *testing.T) {
					w := newWriting(t, profile)
					w.Set(devRoot, "NAME_0042", "old")
					w.Set(devRoot, "NAME_0043", canary+"43")
					direct := w.options
					w.killAt(t, "push", at.path, at.skip, took)
					w.options = direct
					w.mustPush(t, syncer.PushOptions{Secrets: numbered(450, canary)})
					wantValues(t, w.Server, devRoot, plainValues(numbered(450, canary)))
					for name := range w.Values(devRoot) {
						secret, _ := w.Get(devRoot, name)
						if want := map[bool]int{true: 2, false: 1}[name == "NAME_0042"]; secret.Version != want {
							t.Errorf("%s has version %d, want %d", name, secret.Version, want)
						}
					}
				})
			}
		}
	})
}

// A deletion that is killed loses no value, and can be repeated.
func TestDeleteKilled(t *testing.T) {
	for _, skip := range []int{0, 2} {
		for _, took := range []bool{false, true} {
			w := newWriting(t, infisicaltest.Current)
			if err := w.SetAll(devRoot, plainValues(numbered(450, canary))); err != nil {
				t.Fatal(err)
			}
			direct := w.options
			w.killAt(t, "delete", "/batch", skip, took)
			// The scope is that of another server's URL: the one before the emulator.
			direct.StateDir, direct.Known.URL = w.options.StateDir, w.options.Known.URL
			w.options = direct
			if n := len(w.vault(t).Deleted); n != 450 {
				t.Errorf("after the kill %d values are kept", n)
			}
			report, err := w.remove(t, numbered(450, "").Names()...)
			got := tally(report.Secrets)
			if err != nil || got[syncer.OutcomeDeleted]+got[syncer.OutcomeGone] != 450 || len(w.Values(devRoot)) != 0 {
				t.Errorf("%v; %v", got, err)
			}
			if restored := w.restore(t, numbered(450, "").Names()...); !restored.Equal(numbered(450, canary)) {
				t.Errorf("restored %d values", restored.Len())
			}
		}
	}
}

// killAt starts a process that pushes or deletes, and kills it when it waits for the
// answer to a certain request.
func (w *writing) killAt(t *testing.T, work, path string, skip int, took bool) {
	t.Helper()
	reached, killed := make(chan struct{}), make(chan struct{})
	met := 0
	front := w.inFront(t, func(_ http.ResponseWriter, r *http.Request, forward func(http.ResponseWriter)) bool {
		if !strings.Contains(r.URL.Path, path) {
			return false
		}
		if met++; met <= skip {
			return false
		}
		if took {
			forward(httptest.NewRecorder())
		}
		close(reached)
		<-killed
		panic(http.ErrAbortHandler)
	})
	process := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
	process.Env = append(os.Environ(), killedVariable+"="+front, workVariable+"="+work,
		stateVariable+"="+w.options.StateDir, "TMPDIR="+t.TempDir())
	var said bytes.Buffer
	process.Stdout, process.Stderr = &said, &said
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		process.Wait()
		close(ended)
	}()
	select {
	case <-reached:
	case <-ended:
		t.Errorf("it ended before it was killed: %s", said.String())
	}
	process.Process.Kill() // an error says that it ended, which is told above
	<-ended
	close(killed)
}
