//go:build linux

package inject

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func listening(overlap bool) order {
	o := order{Supervisor: defaults(), First: token("0")}
	o.Listen = []string{"tcp:127.0.0.1:0"}
	o.Overlap = overlap
	o.ReadyTimeout = time.Hour
	return o
}

// serving waits for a child-serve and returns what it says of itself.
func (s *supervised) serving() (pid int, address, notify string) {
	s.t.Helper()
	pid, rest := s.ready()
	fields := strings.Fields(rest)
	if len(fields) < 4 {
		fields = append(fields, "")
	}
	return pid, fields[0], fields[3]
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a:socket")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	o := listening(false)
	o.Listen = []string{"unix:" + path, "tcp:127.0.0.1:0"}
	s := run(t, o, "child-serve")
	pid, rest := s.ready()
	if want := path + " 2 a-socket:tcp-"; !strings.HasPrefix(rest, want) {
		t.Errorf("the child says %q, want %q", rest, want)
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	if got := get(t, client, "http://x/"); got != "0" {
		t.Errorf("answer %q", got)
	}
	s.update(token("1"))
	if second, _ := s.ready(); second == pid {
		t.Error("no second child")
	}
	if got := get(t, client, "http://x/"); got != "1" {
		t.Errorf("answer %q after the change", got)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket's file is still there: %v", err)
	}
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestListenErrors(t *testing.T) {
	busy, err := net.Listen("unix", filepath.Join(t.TempDir(), "busy"))
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for spec, text := range map[string]string{
		"udp:1":                        "neither tcp:HOST:PORT nor unix:PATH",
		"tcp:":                         "neither tcp:HOST:PORT nor unix:PATH",
		"tcp:nohost":                   "missing port",
		"unix:/no/such/dir/s":          "no such file",
		"unix:" + busy.Addr().String(): "address already in use",
	} {
		_, err := openListener(spec)
		wantError(t, err, CodeListen, 125, text)
	}
}

func TestStagedStartFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(file, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := run(t, listening(false), file)
	s.wantEnd(126)
	if want := "exec format error"; !strings.Contains(s.stderr(), want) {
		t.Errorf("stderr %q, want %q in it", s.stderr(), want)
	}
}

func TestOverlapDropsNoConnection(t *testing.T) {
	s := run(t, listening(true), "child-serve")
	_, address, _ := s.serving()
	var load sync.WaitGroup
	var answers, failures atomic.Int64
	stop := make(chan struct{})
	for range 4 {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := client.Get("http://" + address + "/")
				if err != nil {
					failures.Add(1)
					t.Error(err)
					return
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				answers.Add(1)
			}
		})
	}
	const rotations = 5
	for i := 1; i <= rotations; i++ {
		s.update(token(fmt.Sprint(i)))
		s.serving()
		s.event(EventHealthy)
		s.event(EventEnded) // the one before has drained
	}
	close(stop)
	load.Wait()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if got := get(t, client, "http://"+address); got != fmt.Sprint(rotations) {
		t.Errorf("answer %q after the last change", got)
	}
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	t.Logf("%d requests, %d failed", answers.Load(), failures.Load())
}

func TestOverlapKeepsTheOldChild(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		order func(*order)
		why   string
	}{
		"when the new one fails":        {"bad", func(*order) {}, "ended with exit status 3"},
		"when the new one is not ready": {"never", func(o *order) { o.ReadyTimeout = 300 * time.Millisecond }, "is not ready in time"},
		"when the new one ends early":   {"bad", func(o *order) { o.ReadyAfter = 10 * time.Second }, "ended with exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			o := listening(true)
			tt.order(&o)
			s := run(t, o, "child-serve")
			pid, address, _ := s.serving()
			if o.ReadyAfter == 0 {
				s.event(EventHealthy)
			}
			s.update(token(tt.token))
			failed := s.event(EventUnhealthy).PID
			s.event(EventQuarantined)
			s.event(EventHealthy)
			if tt.token == "never" {
				s.event(EventEnded) // until then it serves too
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			if got := get(t, client, "http://"+address); got != "0" {
				t.Errorf("answer %q", got)
			}
			s.signal(syscall.SIGTERM)
			s.wantEnd(0)
			wantGone(t, pid)
			want := fmt.Sprintf("the child with the changed secrets %s: the one before stays\" pid=%d failed=%d\n", tt.why, pid, failed)
			if !strings.Contains(s.stderr(), want) {
				t.Errorf("stderr does not say %q", want)
			}
		})
	}
}

func TestReadyAfter(t *testing.T) {
	o := listening(true)
	o.ReadyAfter = 50 * time.Millisecond
	s := run(t, o, "child-serve")
	first, _, notify := s.serving()
	if notify != "" {
		t.Errorf("the child got NOTIFY_SOCKET %q", notify)
	}
	s.update(token("1"))
	second, _, _ := s.serving()
	if e := s.event(EventEnded); e.PID != first {
		t.Errorf("event %+v, want the end of %d", e, first)
	}
	s.signal(syscall.SIGTERM)
	if e := s.event(EventEnded); e.PID != second {
		t.Errorf("event %+v, want the end of %d", e, second)
	}
	s.wantEnd(0)
}

func TestReadinessOfStrangersDoesNotCount(t *testing.T) {
	o := listening(true)
	o.First = token("never")
	o.ReadyTimeout = 500 * time.Millisecond
	s := run(t, o, "child-serve")
	_, _, notify := s.serving()
	tell(notify, "READY=1")
	s.event(EventUnhealthy)
}

func TestStopWhileOverlapping(t *testing.T) {
	s := run(t, listening(true), "child-serve")
	first, _, _ := s.serving()
	s.event(EventHealthy)
	s.update(token("never"))
	second, _, _ := s.serving()
	s.signal(syscall.SIGTERM)
	s.wantEnd(0)
	wantGone(t, first)
	wantGone(t, second)
}

func TestServiceManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	next := func(want ...string) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(hangs))
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %q: %v", want, err)
			}
			message := string(buf[:n])
			if message == "WATCHDOG=1" {
				continue
			}
			for _, part := range want {
				if !strings.Contains(message, part) {
					t.Errorf("message %q, want %q in it", message, part)
				}
			}
			return
		}
	}
	o := order{Supervisor: defaults(), First: token("one")}
	o.NotifySocket = path
	o.WatchdogEvery = 20 * time.Millisecond
	o.Inherited = append(os.Environ(), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=1", "WATCHDOG_PID=1", "LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=x")
	s := run(t, o, "sh", "-c", `env | grep -E "^(NOTIFY|WATCHDOG|LISTEN)_"; echo ready $$ $TOKEN; exec sleep 1000`)
	if line := s.out.next("ready"); !strings.HasPrefix(line, "ready ") {
		t.Errorf("the child has %q", line)
	}
	next("READY=1", "STATUS=running")
	s.update(token("two"))
	next("RELOADING=1", "MONOTONIC_USEC=", "STATUS=restarting: TOKEN changed")
	next("READY=1")
	s.signal(syscall.SIGTERM)
	next("STOPPING=1")
	s.wantEnd(143)
}
