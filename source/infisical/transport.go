package infisical

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"infisync/source"
)

const (
	maxHeaderBytes = 256 << 10 // 256 KiB of response headers
	maxRedirects   = 5
)

// A transport is an http.Transport made at the first request, so that a command
// that never asks the server reads no certificates.
type transport struct {
	build func(first *http.Request) *http.Transport

	mu    sync.Mutex
	built *http.Transport // nil before the first request
}

// newTransport reads the files that cfg names, so that a mistake in them is known
// before anything else is done.
func newTransport(cfg Config) (*transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case cfg.ClientCert != "" && cfg.ClientKey == "":
		return nil, source.Errorf(source.CodeConfigInvalid, "%s sets a client certificate, but --client-key is missing", cfg.Origin("client-cert"))
	case cfg.ClientCert == "" && cfg.ClientKey != "":
		return nil, source.Errorf(source.CodeConfigInvalid, "%s sets the key of a client certificate, but --client-cert is missing", cfg.Origin("client-key"))
	}
	if cfg.ClientCert != "" {
		if _, err := clientPair(cfg, source.CodeConfigInvalid); err != nil {
			return nil, err
		}
		// Short-lived certificates are replaced under a running process.
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return clientPair(cfg, source.CodeTLS)
		}
	}
	var extra []byte
	if cfg.CAFile != "" {
		var err error
		if extra, err = os.ReadFile(cfg.CAFile); err != nil {
			return nil, source.Errorf(source.CodeConfigInvalid, "reading the CA file (%s): %w", cfg.Origin("ca-file"), err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(extra) {
			return nil, source.Errorf(source.CodeConfigInvalid, "the CA file %q (%s) holds no PEM certificate", cfg.CAFile, cfg.Origin("ca-file"))
		}
	}
	return &transport{build: func(first *http.Request) *http.Transport {
		if overTLS(first) {
			conf.RootCAs = roots(extra)
		}
		return &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: checkProxy,
			DialContext:            (&net.Dialer{Timeout: cfg.Policy.Dial}).DialContext,
			TLSClientConfig:        conf,
			TLSHandshakeTimeout:    cfg.Policy.Dial,
			ForceAttemptHTTP2:      true, // a TLSClientConfig of one's own turns it off
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}}, nil
}

// clientPair reads the client certificate and its key; code is for errors.
func clientPair(cfg Config, code source.Code) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cfg.ClientCert, cfg.ClientKey)
	if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Path == cfg.ClientKey {
		err = fmt.Errorf("its key (%s): %w", cfg.Origin("client-key"), failed.Err) // without the path: it may be the key itself, by mistake
	}
	if err != nil {
		return nil, source.Errorf(code, "reading the client certificate %q (%s): %w", cfg.ClientCert, cfg.Origin("client-cert"), err)
	}
	return &pair, nil
}

// RoundTrip sends r.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	if t.built == nil {
		t.built = t.build(r)
	}
	built := t.built
	t.mu.Unlock()
	return built.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.built != nil {
		t.built.CloseIdleConnections()
	}
}

// overTLS tells whether anything on the way of a request shows a certificate: its
// server, or a proxy. The answer is the same for all requests to one origin.
func overTLS(r *http.Request) bool {
	if r.URL.Scheme == "https" {
		return true
	}
	proxy, err := http.ProxyFromEnvironment(r)
	return err == nil && proxy != nil && proxy.Scheme == "https"
}

// roots returns the system's certificates and the extra ones, and nil, which
// stands for the system's, when that is all. A system that has none at all, such
// as a container image made from scratch, gets the embedded ones; but not when
// SSL_CERT_FILE or SSL_CERT_DIR says which to use.
func roots(extra []byte) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil || pool == nil {
		pool = x509.NewCertPool()
	}
	if pool.Equal(x509.NewCertPool()) && os.Getenv("SSL_CERT_FILE") == "" && os.Getenv("SSL_CERT_DIR") == "" {
		addEmbedded(pool)
	} else if extra == nil {
		return nil
	}
	pool.AppendCertsFromPEM(extra)
	return pool
}

func addEmbedded(pool *x509.CertPool) {
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // one that this Go release no longer reads
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
		} else {
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
}

// checkRedirect lets a request be sent on within the server's own origin and as
// the same kind of request, and nowhere else.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case origin(next.URL) != origin(first.URL):
		return source.Errorf(source.CodeRedirect, "server redirects to another origin, %q", origin(next.URL))
	case next.Method != first.Method:
		return source.Errorf(source.CodeRedirect, "server redirects a %s so that it becomes a %s", first.Method, next.Method)
	case len(via) > maxRedirects:
		return source.Errorf(source.CodeRedirect, "server redirects more than %d times", maxRedirects)
	}
	return nil
}

// checkProxy names the status with which a proxy refused to connect.
func checkProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return source.Errorf(source.CodeUnreachable, "proxy %q refuses to connect, status %d", proxy.Host, answer.StatusCode)
}
