//go:build unix

package infisical

import (
	"crypto/x509"
	"os"
	"os/exec"
	"syscall"
	"testing"
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
