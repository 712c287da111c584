//go:build linux

package systemd_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

const (
	unitFile       = "app.service"
	credentialName = "infisical-client-secret"
	stateDirectory = "%S/app" // as the unit has it
)

// TestVerify: systemd finds nothing wrong with the unit, and little to attack.
func TestVerify(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("systemd-analyze is not here")
		}
		t.Skip("systemd-analyze is not here")
	}
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), unitFile)
	// It wants the commands to be there.
	text = bytes.ReplaceAll(text, []byte("/usr/local/bin/infisync"), []byte("/bin/true"))
	text = bytes.ReplaceAll(text, []byte("/usr/local/bin/app"), []byte("/bin/true"))
	if err := os.WriteFile(unit, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if out, err := exec.Command(tool, "security", "--offline=yes", "--threshold=15", unit).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: the exposure is above 1.5: %v\n%s", err, out)
	}
}

// TestService starts the unit's command with the environment, the credential and
// the sockets that systemd would give it, and follows what systemd is told.
func TestService(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	set := func(password string) {
		if err := server.Set(source.Place{Project: server.Project(), Environment: "prod", Path: "/"}, "DB_PASSWORD", password); err != nil {
			t.Fatal(err)
		}
	}
	set("before")
	s := start(t, server)
	s.told(t, "READY=1")
	s.runsWith(t, "before")
	set("after")
	s.told(t, "RELOADING=1")
	s.told(t, "READY=1")
	s.runsWith(t, "after")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil { // KillMode=mixed: to it alone
		t.Fatal(err)
	}
	s.told(t, "STOPPING=1")
	s.says(t, "stops")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the service ended with: %v\n%s", err, s.errs.String())
	}
	if vaults, _ := filepath.Glob(filepath.Join(s.state, "*", "vault.*.age")); len(vaults) != 1 {
		t.Errorf("%q holds the vaults %q, want one", s.state, vaults)
	}
}

// A service is the unit's command as it runs.
type service struct {
	cmd    *exec.Cmd
	state  string // its state directory
	out    *bufio.Scanner
	errs   *bytes.Buffer
	notify *net.UnixConn // what it tells systemd
}

func start(t *testing.T, server *infisicaltest.Server) *service {
	dir := t.TempDir()
	s := &service{state: filepath.Join(dir, "state"), errs: new(bytes.Buffer)}
	id, secret := server.Credentials()
	for name, folder := range map[string]string{"infisync": "../..", "app": "../demo/app"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), folder).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, credentialName), []byte(secret+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.state, 0o700); err != nil {
		t.Fatal(err)
	}
	unit := readUnit(t)
	if load := unit["LoadCredential"]; len(load) != 1 || !strings.HasPrefix(load[0], credentialName+":/") {
		t.Errorf("LoadCredential is %q, want one called %q", load, credentialName)
	}
	argv := strings.Fields(unit["ExecStart"][0])
	for i, word := range argv { // dir may have blanks in it
		argv[i] = strings.ReplaceAll(word, "/usr/local/bin", dir)
	}
	socket := filepath.Join(dir, "notify")
	var err error
	if s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	if end, ok := t.Deadline(); ok {
		s.notify.SetReadDeadline(end.Add(-10 * time.Second)) // to say what was waited for
	}
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Env = append([]string{"PATH=/usr/bin:/bin"}, unit["Environment"]...)
	for i, entry := range s.cmd.Env {
		s.cmd.Env[i] = strings.Replace(entry, stateDirectory, s.state, 1)
	}
	// Of one name the last counts: these are the server's, and a shorter wait.
	s.cmd.Env = append(s.cmd.Env, "INFISICAL_URL="+server.URL(), "INFISICAL_CLIENT_ID="+id, "INFISYNC_INTERVAL=1s",
		"CREDENTIALS_DIRECTORY="+dir, "STATE_DIRECTORY="+s.state, "NOTIFY_SOCKET="+socket)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.errs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.notify.Close()
	})
	return s
}

// readUnit returns the values of each key of the unit, in their order.
func readUnit(t *testing.T) map[string][]string {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			values[key] = append(values[key], value)
		}
	}
	return values
}

// told waits until systemd is told that.
func (s *service) told(t *testing.T, want string) {
	t.Helper()
	message := make([]byte, 4096)
	for {
		n, err := s.notify.Read(message)
		if err != nil {
			t.Fatalf("waiting for %s: %v", want, err)
		}
		for line := range strings.Lines(string(message[:n])) {
			if strings.TrimSpace(line) == want {
				return
			}
		}
	}
}

// runsWith waits until the app has started, and looks at its password.
func (s *service) runsWith(t *testing.T, password string) {
	t.Helper()
	want := fmt.Sprintf("hashes to %x", sha256.Sum256([]byte(password)))[:len("hashes to ")+12]
	if line := s.says(t, "hashes to"); !strings.HasSuffix(line, want) {
		t.Fatalf("the app says %q, want a line that ends with %q", line, want)
	}
}

// says waits until the app says that, and returns the line.
func (s *service) says(t *testing.T, want string) string {
	t.Helper()
	for s.out.Scan() {
		if strings.Contains(s.out.Text(), want) {
			return s.out.Text()
		}
	}
	t.Fatalf("the app ended before it said %q: %v\n%s", want, s.cmd.Wait(), s.errs.String())
	return ""
}
