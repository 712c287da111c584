package doctor_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/doctor"
)

// net/http reads the proxy variables once in a process, so each case is a
// process of its own.
const proxyRole = "DOCTOR_TEST_PROXY"

func TestProxy(t *testing.T) {
	if role := os.Getenv(proxyRole); role != "" {
		behindProxy(t, role)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for role, proxy := range map[string]string{
		"down":      "http://user:7f3a9c@" + closed,
		"not found": "http://proxy.invalid:3128",
	} {
		t.Run(role, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$")
			cmd.Env = append(os.Environ(), proxyRole+"="+role, "HTTPS_PROXY="+proxy, "NO_PROXY=")
			if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "no tests to run") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// behindProxy checks that it is the proxy that is looked up and connected to:
// behind one, names of servers need not mean anything.
func behindProxy(t *testing.T, role string) {
	s := newSetup(t, map[string]string{
		"INFISICAL_URL": "https://infisical.invalid", "INFISICAL_CLIENT_ID": "1f6d2c4b-8a3e-4f57-b1c9-d0e1f2a3b4c5",
		"INFISICAL_CLIENT_SECRET": strings.Repeat("7f3a9c", 8), "INFISICAL_ENVIRONMENT": "dev",
	})
	report := s.run(t)
	switch role {
	case "down":
		wantItem(t, report, "dns", doctor.OK, "", "127.0.0.1 is an address (the proxy)")
		wantFailed(t, report, "tcp", source.CodeUnreachable, "(the proxy)")
	case "not found":
		wantFailed(t, report, "dns", source.CodeUnreachable, "proxy.invalid")
	}
	wantSilent(t, report)
}
