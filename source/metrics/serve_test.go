package metrics

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"infisync/source"
)

// serve returns metrics that are served, and where.
func serve(t *testing.T, opt Options) (*Metrics, string) {
	t.Helper()
	var said strings.Builder
	opt.Address, opt.Log = "127.0.0.1:0", slog.New(slog.NewTextHandler(&said, nil))
	m, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	_, rest, _ := strings.Cut(said.String(), "http://")
	address, _, ok := strings.Cut(rest, "/")
	if !ok {
		t.Fatalf("the port is not said: %q", said.String())
	}
	return m, address
}

func TestHandler(t *testing.T) {
	m, address := serve(t, Options{Child: true})
	m.Started(1, "a")
	for _, tt := range []struct {
		method, path string
		status       int
		body         string // begins so
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/readyz", 503, "the child is not healthy yet\n"},
		{"HEAD", "/readyz", 503, ""},
		{"GET", "/metrics", 200, "# HELP infisync_build_info "},
		{"GET", "/metrics?name[]=x", 200, "# HELP infisync_build_info "},
		{"POST", "/metrics", 405, "Method Not Allowed"},
		{"DELETE", "/healthz", 405, "Method Not Allowed"},
		{"OPTIONS", "*", 400, ""},
		{"GET", "/", 404, "404"},
		{"GET", "/healthz/x", 404, "404"},
		{"GET", "/debug/pprof/", 404, "404"},
	} {
		req, err := http.NewRequest(tt.method, "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = tt.path
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.path, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.HasPrefix(string(body), tt.body) || tt.body == "" && len(body) > 0 {
			t.Errorf("%s %s: %d %q, %v, want %d %q", tt.method, tt.path, resp.StatusCode, body, err, tt.status, tt.body)
		}
		if tt.path == "/metrics" && tt.status == 200 && resp.Header.Get("Content-Type") != contentType {
			t.Errorf("content type %q", resp.Header.Get("Content-Type"))
		}
	}
}

// TestLimits: who sends too much is turned away, and who opens many connections keeps
// nobody from being answered for longer than they last.
func TestLimits(t *testing.T) {
	t.Parallel() // it waits for requestTimeout
	_, address := serve(t, Options{})
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	go fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatalf("a header of 64 KiB: %v, %v", resp, err)
	}
	conn.Close()
	for range mostConnections {
		dial() // and says nothing
	}
	// This one waits until those have run out of time.
	resp, err = http.Get("http://" + address + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("after many connections: %v, %v", resp, err)
	}
}

// TestAccept: as many connections are open as there is room for, and each that is
// closed, even twice, makes room for one.
func TestAccept(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &limited{Listener: inner, slots: make(chan struct{}, 2)}
	defer l.Close()
	var open []net.Conn
	for range 2 {
		go net.Dial("tcp", inner.Addr().String())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	if len(l.slots) != 2 {
		t.Fatalf("%d slots are taken, want 2", len(l.slots))
	}
	open[0].Close()
	open[0].Close()
	if len(l.slots) != 1 {
		t.Errorf("%d slots are taken after one was closed twice, want 1", len(l.slots))
	}
	inner.Close()
	if _, err := l.Accept(); err == nil || len(l.slots) != 1 {
		t.Errorf("a closed listener gives %v and leaves %d slots taken, want 1", err, len(l.slots))
	}
}

func TestOpenErrors(t *testing.T) {
	_, address := serve(t, Options{})
	m, err := Open(Options{Address: address, Setting: "--http", Log: slog.New(slog.DiscardHandler)})
	if m != nil || source.CodeOf(err) != source.CodeHTTPListen || !strings.HasSuffix(fmt.Sprint(err), ": address already in use") {
		t.Errorf("an address in use gives %v, %v", m, err)
	}
	if m, err := Open(Options{}); m != nil || err != nil {
		t.Errorf("no address gives %v, %v", m, err)
	}
}

// TestClose: the address is free at once, although somebody is being answered, and
// nothing is left that could answer.
func TestClose(t *testing.T) {
	m, address := serve(t, Options{})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics")
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	m.Close()
	m.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection is still served")
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	again.Close()
}

// TestNobodyAsks: everything can be told to metrics that are not wanted.
func TestNobodyAsks(t *testing.T) {
	var m *Metrics
	m.Polled(Changed)
	m.Hold("dev-1", Held{})
	m.Started(1, "a")
	m.Close()
	if got := text(t, m); got != "" {
		t.Errorf("there is %q", got)
	}
}

// TestReadyWithoutChild: all scopes must have been synced lately.
func TestReadyWithoutChild(t *testing.T) {
	now := time.Unix(1700000000, 0)
	m := open(t, Options{MaxAge: time.Minute})
	m.Expect(2)
	for i, step := range []struct {
		folder string
		age    time.Duration
		want   string
	}{
		{"dev-1", 0, "not everything was synced yet"},
		{"dev-2", time.Minute, ""},
		{"dev-2", 61 * time.Second, "the last sync was 1m1s ago, longer than 1m0s"},
		{"dev-2", -time.Hour, "the last sync lies in the future: was the clock set back?"},
		{"dev-2", time.Second, ""},
	} {
		m.Hold(step.folder, Held{Server, 1, now.Add(-step.age)})
		if got := m.notReady(now); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
	if got := m.notReady(now.Add(time.Hour)); !strings.Contains(got, "ago") {
		t.Errorf("an hour later: %q", got)
	}
}
