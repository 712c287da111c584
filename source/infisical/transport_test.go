package infisical_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// An authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var der []byte
	der, a.key = sign(t, template, nil)
	a.cert, _ = x509.ParseCertificate(der)
	a.file = writePEM(t, "CERTIFICATE", der)
	return a
}

// sign makes a key and a certificate for it; without an authority it signs itself.
func sign(t *testing.T, template *x509.Certificate, by *authority) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// issue returns the PEM files of a certificate and its key.
func (a *authority) issue(t *testing.T, change func(*x509.Certificate)) (cert, key string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	der, private := sign(t, template, a)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", der), writePEM(t, "PRIVATE KEY", bytes)
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// secure serves the API's status over TLS.
func secure(t *testing.T, certFile, keyFile string, change func(*tls.Config)) *httptest.Server {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(answer(200, `{"date":"2026-01-01T00:00:00.000Z","message":"Ok"}`))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	good, goodKey := ca.issue(t, nil)
	for name, tt := range map[string]struct {
		cert   func(*x509.Certificate)
		server func(*tls.Config)
		ca     string
		want   source.Code
		says   string
	}{
		"private CA":       {nil, nil, ca.file, "", ""},
		"unknown CA":       {nil, nil, "", source.CodeTLS, "unknown authority"},
		"another CA":       {nil, nil, newAuthority(t).file, source.CodeTLS, "unknown authority"},
		"wrong host":       {func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }, nil, ca.file, source.CodeTLS, "not for this host"},
		"expired":          {func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, nil, ca.file, source.CodeTLS, "expired"},
		"not a server's":   {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, nil, ca.file, source.CodeTLS, "incompatible key usage"},
		"TLS 1.1":          {nil, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, ca.file, source.CodeTLS, "protocol version"},
		"needs our own":    {nil, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }, ca.file, source.CodeTLS, "certificate required"},
		"TLS 1.2 is fine":  {nil, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, ca.file, "", ""},
		"HTTP/1.1 is fine": {nil, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, ca.file, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cert, key := good, goodKey
			if tt.cert != nil {
				cert, key = ca.issue(t, tt.cert)
			}
			s := secure(t, cert, key, tt.server)
			var reached atomic.Int32
			handler := s.Config.Handler
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached.Add(1)
				handler.ServeHTTP(w, r)
			})
			client := newClient(t, s.URL, func(c *infisical.Config) { c.CAFile = tt.ca })
			status, err := client.Status(t.Context())
			wantCode(t, err, tt.want)
			if tt.want != "" {
				wantText(t, err, "TLS with \""+s.URL, tt.says)
				_, err = client.Login(t.Context())
				wantCode(t, err, tt.want)
				if n := reached.Load(); n != 0 {
					t.Errorf("%d requests came through", n)
				}
			} else if left := time.Until(status.CertExpiry); left <= 0 || left > time.Hour {
				t.Errorf("certificate expires in %v", left)
			}
		})
	}
}

func TestNotTLS(t *testing.T) {
	s := newServer(t, nil)
	_, err := newClient(t, strings.Replace(s.URL, "http:", "https:", 1)).Status(t.Context())
	wantCode(t, err, source.CodeTLS)
	wantText(t, err, "does not speak TLS")

	ca := newAuthority(t)
	cert, key := ca.issue(t, nil)
	tls := secure(t, cert, key, nil)
	_, err = newClient(t, strings.Replace(tls.URL, "https:", "http:", 1)).Status(t.Context())
	wantCode(t, err, source.CodeNotTheAPI) // Go's server says it in plain text
}

func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	serverCert, serverKey := ca.issue(t, nil)
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	s := secure(t, serverCert, serverKey, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients })
	cert, key := ca.issue(t, nil)
	client := newClient(t, s.URL, func(c *infisical.Config) { c.CAFile, c.ClientCert, c.ClientKey = ca.file, cert, key })
	if _, err := client.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The files are read at each connection, as they may be replaced at any time.
	client.Close()
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	_, err := client.Status(t.Context())
	wantCode(t, err, source.CodeTLS)
	wantText(t, err, "reading the client certificate")
}

// What cannot be used is said by the name of its setting.
func TestTransportFiles(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(t, nil)
	missing := filepath.Join(t.TempDir(), "missing")
	for _, tt := range []struct {
		name   string
		change func(*infisical.Config)
		names  string // the setting
	}{
		{"no CA file", func(c *infisical.Config) { c.CAFile = missing }, "reading the CA file (--ca-file): "},
		{"CA file of a key", func(c *infisical.Config) { c.CAFile = key }, `" (--ca-file) holds no PEM certificate`},
		{"no client key", func(c *infisical.Config) { c.ClientCert = cert }, "--client-cert sets a client certificate, but --client-key is missing"},
		{"no client cert", func(c *infisical.Config) { c.ClientKey = key }, "--client-key sets the key"},
		{"missing cert", func(c *infisical.Config) { c.ClientCert, c.ClientKey = missing, key }, `" (--client-cert): `},
		{"key is no key", func(c *infisical.Config) { c.ClientCert, c.ClientKey = cert, cert }, `" (--client-cert): `},
		{"key, not a file", func(c *infisical.Config) { c.ClientCert, c.ClientKey = cert, "-----BEGIN canary" }, "its key (--client-key): no such file"},
		{"a URL", func(c *infisical.Config) { c.URL = "canary" }, "--url: the server URL does not begin with https://"},
		{"an organization", func(c *infisical.Config) { c.Organization = "canary\n" }, "--organization: "},
		{"a header", func(c *infisical.Config) { c.Headers = map[string]string{"A": "canary\n"} }, `INFISICAL_CUSTOM_HEADERS: header "A" `},
		{"set by a variable", func(c *infisical.Config) {
			c.CAFile, c.Origin = missing, func(flag string) string { return "where " + flag + " is" }
		}, "(where ca-file is): "},
	} {
		cfg := infisical.Config{URL: "https://localhost"}
		tt.change(&cfg)
		_, err := infisical.New(cfg)
		if source.CodeOf(err) != source.CodeConfigInvalid || !strings.Contains(err.Error(), tt.names) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want it to name %q", tt.name, err, tt.names)
		}
	}
}

// A second origin counts what reaches it: nothing may.
func TestRedirects(t *testing.T) {
	reached := 0
	other := newServer(t, map[string]http.HandlerFunc{
		"GET /api/v4/secrets": func(w http.ResponseWriter, _ *http.Request) { reached++; writeJSON(w, 200, `{"secrets":[]}`) },
		loginRoute:            func(w http.ResponseWriter, _ *http.Request) { reached++; writeJSON(w, 200, loginBody("t")) },
	})
	for name, tt := range map[string]struct {
		location string // "" stands for the same origin's other route
		status   int
		want     source.Code
		says     string
	}{
		"other port":      {other.URL + "/api/v4/secrets", 307, source.CodeRedirect, "another origin, \"" + other.URL},
		"other port, 302": {other.URL + "/api/v4/secrets", 302, source.CodeRedirect, "another origin"},
		"other host":      {strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + "/api/v4/secrets", 308, source.CodeRedirect, "another origin"},
		"other scheme":    {strings.Replace(other.URL, "http:", "https:", 1), 307, source.CodeRedirect, "another origin"},
		"with password":   {strings.Replace(other.URL, "http://", "http://canary:canary@", 1), 307, source.CodeRedirect, "another origin"},
		"same origin":     {"", 307, "", ""},
		"for ever":        {"/api/v4/secrets", 307, source.CodeRedirect, "more than 5 times"},
		"nowhere":         {"nowhere://", 307, source.CodeRedirect, "another origin"},
	} {
		t.Run(name, func(t *testing.T) {
			location := tt.location
			if location == "" {
				location = "/api/moved"
			}
			s := newServer(t, map[string]http.HandlerFunc{
				listRoute: func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", location)
					w.WriteHeader(tt.status)
				},
				"GET /api/moved": func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Authorization") != "Bearer "+accessToken {
						t.Error("the token was lost within the origin")
					}
					writeJSON(w, 200, `{"secrets":[]}`)
				},
			})
			_, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place})
			wantCode(t, err, tt.want)
			if err != nil {
				wantText(t, err, tt.says)
				if strings.Contains(err.Error(), "canary:") {
					t.Errorf("error repeats a password: %v", err)
				}
			}
		})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newServer(t, map[string]http.HandlerFunc{loginRoute: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL+"/api/v1/auth/universal-auth/login")
			w.WriteHeader(status)
		}})
		_, err := newClient(t, s.URL).Login(t.Context())
		wantCode(t, err, source.CodeRedirect)
	}
	// Within the origin a login must stay a POST, or its body is lost.
	s := newServer(t, map[string]http.HandlerFunc{loginRoute: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/login")
		w.WriteHeader(302)
	}})
	_, err := newClient(t, s.URL).Login(t.Context())
	wantCode(t, err, source.CodeRedirect)
	wantText(t, err, "becomes a GET")
	if reached != 0 {
		t.Errorf("%d requests reached the second origin", reached)
	}
}
