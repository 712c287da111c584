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

// killedVariable makes the test binary a process that pushes to the server that it
// names, until it is killed.
const killedVariable = "SYNCER_TEST_PUSH_TO"

// TestPushProcess is that process, and nothing otherwise.
func TestPushProcess(t *testing.T) {
	url := os.Getenv(killedVariable)
	if url == "" {
		t.Skip("not started by another test")
	}
	report, err := syncer.New(writeOptions(t, url, new(bytes.Buffer))).Push(t.Context(), syncer.PushOptions{Secrets: numbered(450, canary)})
	t.Fatalf("not killed: wrote %d; %v", report.Written(), err)
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
					w.killAt(t, at.path, at.skip, took)
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

// killAt starts a process that pushes, and kills it when it waits for the answer to
// a certain request.
func (w *writing) killAt(t *testing.T, path string, skip int, took bool) {
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
	process := exec.Command(os.Args[0], "-test.run=^TestPushProcess$")
	process.Env = append(os.Environ(), killedVariable+"="+front)
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
