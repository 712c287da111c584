package infisical_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

// The usual variables name a proxy. net/http reads them once in a process and
// never uses a proxy to reach the loopback interface, so that the test runs itself
// again and asks for hosts that only the proxy knows.
func TestProxy(t *testing.T) {
	const variable = "INFISYNC_TEST_PROXY"
	switch os.Getenv(variable) {
	case "gone":
		_, err := newClient(t, "https://infisical.test").Status(t.Context())
		wantCode(t, err, source.CodeUnreachable)
		wantText(t, err, "dial 127.0.0.1:1: connection refused")
		return
	case "over TLS":
		trust := func(c *infisical.Config) { c.AllowHTTP, c.CAFile = true, os.Getenv(variable+"_CA") }
		if _, err := newClient(t, "http://infisical.test", trust).Status(t.Context()); err != nil {
			t.Errorf("plain, through a proxy that speaks TLS: %v", err)
		}
		return
	case "there":
		allow := func(c *infisical.Config) { c.AllowHTTP, c.Policy = true, quick().InHaste() }
		if _, err := newClient(t, "http://infisical.test", allow).Status(t.Context()); err != nil {
			t.Errorf("plain: %v", err)
		}
		_, err := newClient(t, "https://infisical.test", allow).Status(t.Context())
		wantCode(t, err, source.CodeUnreachable)
		wantText(t, err, "refuses to connect, status 407")
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("error repeats the proxy's password: %v", err)
		}
		return
	}
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.RequestURI)
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		writeJSON(w, 200, `{"message":"Ok"}`)
	}))
	defer proxy.Close()
	ca := newAuthority(t)
	cert, key := ca.issue(t, nil)
	for name, address := range map[string]string{
		"there":    strings.Replace(proxy.URL, "http://", "http://user:canary@", 1),
		"gone":     "http://user:canary@127.0.0.1:1",
		"over TLS": secure(t, cert, key, nil).URL,
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), variable+"="+name, variable+"_CA="+ca.file, "HTTP_PROXY="+address, "HTTPS_PROXY="+address, "NO_PROXY=", "no_proxy=",
			"http_proxy="+address, "https_proxy="+address, "REQUEST_METHOD=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("proxy is %s: %v\n%s", name, err, out)
		}
	}
	if got, want := strings.Join(asked, ", "), "GET http://infisical.test/api/status, CONNECT infisical.test:443"; got != want {
		t.Errorf("the proxy was asked %s, want %s", got, want)
	}
}

// Nothing is sent before the first request, and connections are kept until Close.
func TestConnections(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/login") {
			writeJSON(w, 200, loginBody("t"))
			return
		}
		noRoute(w, r)
	}))
	connections := make(chan struct{}, 10)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	client := newClient(t, s.URL)
	client.Close()
	if opened := len(connections); opened != 0 {
		t.Errorf("%d connections before the first request", opened)
	}
	session := login(t, client)
	for range 3 { // refusals leave the connection usable
		session.List(t.Context(), infisical.Query{Place: place})
	}
	if opened := len(connections); opened != 1 {
		t.Errorf("%d connections, want 1", opened)
	}
	client.Close()
	login(t, client)
	if opened := len(connections); opened != 2 {
		t.Errorf("%d connections after Close, want 2", opened)
	}
}
