//go:build unix

package infisical

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// A system without any certificate gets the embedded ones, unless it was told
// where its own are. The test runs itself again in an empty root directory, because
// a process reads the system's certificates once.
func TestEmbeddedRoots(t *testing.T) {
	const variable = "INFISYNC_TEST_EMPTY_ROOT"
	if dir := os.Getenv(variable); dir != "" {
		if err := syscall.Chroot(dir); err != nil {
			t.Fatal(err)
		}
		embedded := x509.NewCertPool()
		addEmbedded(embedded)
		if embedded.Equal(x509.NewCertPool()) {
			t.Fatal("no certificate is embedded")
		}
		if got := roots(nil); got == nil || !got.Equal(embedded) {
			t.Error("an empty system does not get the embedded certificates")
		}
		t.Setenv("SSL_CERT_FILE", "/missing.pem")
		if got := roots(nil); got != nil {
			t.Error("SSL_CERT_FILE is not respected")
		}
		return
	}
	if pool, err := x509.SystemCertPool(); err == nil && !pool.Equal(x509.NewCertPool()) && roots(nil) != nil {
		t.Error("a system with certificates gets others")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root directory")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = []string{variable + "=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A server that is asked without TLS shows no certificate, so that none is read
// to judge it by.
func TestRootsAreReadForTLSOnly(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	for root := range bundle.Roots() {
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}), 0o600); err != nil {
			t.Fatal(err)
		}
		break
	}
	transport, err := newTransport(Config{CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://127.0.0.1:1/api", "https://127.0.0.1:1/api"} {
		first, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		read := transport.build(first).TLSClientConfig.RootCAs != nil
		if want := first.URL.Scheme == "https"; read != want {
			t.Errorf("%q: certificates are read: %t, want %t", url, read, want)
		}
	}
}
