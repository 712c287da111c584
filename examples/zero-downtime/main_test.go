//go:build linux

package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

// TestNoRequestFails rotates a secret of the server under load. INFISYNC_SOAK is
// how many times.
func TestNoRequestFails(t *testing.T) {
	rotations, _ := strconv.Atoi(os.Getenv("INFISYNC_SOAK"))
	l := rotate(t, max(3, rotations))
	if l.failed.Load() > 0 || l.answered.Load() == 0 {
		t.Errorf("%d requests were answered, %d failed", l.answered.Load(), l.failed.Load())
	}
}

func BenchmarkTwentyRotations(b *testing.B) {
	for b.Loop() {
		l := rotate(b, 20)
		b.ReportMetric(float64(l.answered.Load()), "answered")
		b.ReportMetric(float64(l.failed.Load()), "failed")
		b.ReportMetric(float64(l.connections.Load())/l.took.Seconds(), "connections/s")
	}
}

// rotate runs the server under infisync, changes its secret so many times while
// it is asked, and returns what became of the requests.
func rotate(t testing.TB, rotations int) *load {
	emulator := infisicaltest.New(t, infisicaltest.Options{})
	place := source.Place{Project: emulator.Project(), Environment: "dev", Path: "/"}
	set := func(token int) {
		if err := emulator.Set(place, "TOKEN", strconv.Itoa(token)); err != nil {
			t.Fatal(err)
		}
	}
	set(0)
	said, stop := start(t, emulator)
	fields := strings.Fields(said("serves"))
	address := fields[len(fields)-1]
	l := newLoad(t, address)
	for token := 1; token <= rotations; token++ {
		set(token)
		said("has answered everything") // says the server before
		if answer := l.ask(); !strings.HasPrefix(answer, versionOf(strconv.Itoa(token))) {
			t.Errorf("after rotation %d the answer is %q", token, answer)
		}
	}
	l.end()
	stop()
	return l
}

// versionOf is what the server makes of its secret.
func versionOf(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token)))[:12] }

// start builds both programs and runs the server under infisync, on a port that
// the system chooses. What the server says is waited for with said; stop has it
// end well.
func start(t testing.TB, emulator *infisicaltest.Server) (said func(string) string, stop func()) {
	dir := t.TempDir()
	for name, folder := range map[string]string{"infisync": "../..", "server": "."} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), folder).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	id, secret := emulator.Credentials()
	cmd := exec.Command(filepath.Join(dir, "infisync"), "run", "--interval", "1s", "--debounce", "0s",
		"--listen", "tcp:127.0.0.1:0", "--overlap", "--", filepath.Join(dir, "server"))
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+dir, "INFISICAL_URL="+emulator.URL(),
		"INFISICAL_CLIENT_ID="+id, "INFISICAL_CLIENT_SECRET="+secret, "INFISICAL_PROJECT_ID="+emulator.Project(), "INFISICAL_ENVIRONMENT=dev")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	said = func(words string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), words) {
				return lines.Text()
			}
		}
		t.Fatalf("infisync ended before the server said %q: %v\n%s", words, cmd.Wait(), errs.String())
		return ""
	}
	return said, func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		said("has answered everything")
		if err := cmd.Wait(); err != nil {
			t.Errorf("infisync: %v\n%s", err, errs.String())
		}
	}
}

// A load is clients that ask all the time, and what became of it.
type load struct {
	t       testing.TB
	address string
	took    time.Duration
	began   time.Time
	ended   chan struct{}
	clients sync.WaitGroup

	connections, answered, failed atomic.Int64
}

const (
	// Together they open 300 connections a second. Many more would use up the ports
	// of the machine, which the kernel keeps for a minute.
	impatient      = 12
	impatientPause = 40 * time.Millisecond
)

// newLoad starts the clients. Most open a connection for each request, and let
// some time pass in between: to hang up on such a one is a failed request. One
// keeps its connection, as proxies do.
func newLoad(t testing.TB, address string) *load {
	l := &load{t: t, address: address, began: time.Now(), ended: make(chan struct{})}
	for range impatient {
		l.clients.Go(func() {
			l.repeat(func(pause <-chan time.Time) (string, error) { return l.once(pause) })
		})
	}
	l.clients.Go(func() {
		l.repeat(func(pause <-chan time.Time) (string, error) {
			<-pause
			response, err := http.Get("http://" + address)
			if err != nil {
				return "", err
			}
			return read(response)
		})
	})
	return l
}

func (l *load) end() {
	close(l.ended)
	l.clients.Wait()
	l.took = time.Since(l.began)
}

func (l *load) repeat(request func(pause <-chan time.Time) (string, error)) {
	tick := time.NewTicker(impatientPause)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return
		default:
		}
		if _, err := request(tick.C); err != nil {
			l.failed.Add(1)
			l.t.Errorf("a request failed: %v", err)
			return
		}
		l.answered.Add(1)
	}
}

// once opens a connection, waits, and then asks.
func (l *load) once(pause <-chan time.Time) (string, error) {
	conn, err := net.Dial("tcp", l.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	l.connections.Add(1)
	<-pause
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	return read(response)
}

// ask returns an answer.
func (l *load) ask() string {
	l.t.Helper()
	now := make(chan time.Time)
	close(now)
	answer, err := l.once(now)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer
}

func read(response *http.Response) (string, error) {
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", response.Status)
	}
	return string(text), err
}
