package doctor_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
)

func TestDNS(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server).with("INFISICAL_URL", "https://infisical.invalid")
	report := s.run(t)
	wantFailed(t, report, "dns", source.CodeUnreachable, "infisical.invalid")
	wantItem(t, report, "tcp", doctor.Skipped, "", "dns failed")
	wantItem(t, report, "permission", doctor.Skipped, "", "dns failed")
	wantItem(t, report, "vault", doctor.OK, "", "no vault yet")
}

// Real TLS, with a certificate authority that only the CA file makes known.
func TestTLS(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options infisicaltest.Options
		foreign bool // no CA file

		result doctor.Result
		code   source.Code
		says   string
	}{
		{"private CA", infisicaltest.Options{CertExpiresAt: time.Now().Add(30 * 24 * time.Hour)}, false, doctor.OK, "", "good until"},
		{"soon over", infisicaltest.Options{CertExpiresAt: time.Now().Add(time.Hour)}, false, doctor.Warning, doctor.CodeCertExpiry, "renew"},
		{"unknown CA", infisicaltest.Options{}, true, doctor.Failed, source.CodeTLS, "--ca-file"},
		{"expired", infisicaltest.Options{CertExpiresAt: time.Now().Add(-time.Hour)}, false, doctor.Failed, source.CodeTLS, "renew the server's certificate"},
		{"wrong host", infisicaltest.Options{CertHosts: []string{"other.example"}}, false, doctor.Failed, source.CodeTLS, "that the certificate is for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.TLS = true
			server := infisicaltest.New(t, tt.options)
			s := healthy(t, server)
			if !tt.foreign {
				s.env["INFISYNC_CA_FILE"] = filepath.Join(t.TempDir(), "ca.pem")
				if err := os.WriteFile(s.env["INFISYNC_CA_FILE"], server.CA(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			report := s.run(t)
			wantItem(t, report, "tls", tt.result, tt.code, tt.says)
			wantItem(t, report, "scheme", doctor.OK, "", "https")
			if tt.result == doctor.Failed {
				wantFailed(t, report, "tls", tt.code, tt.says)
				wantItem(t, report, "login", doctor.Skipped, "", "tls failed")
			} else if report.Failed() {
				t.Errorf("failed:\n%s", printed(t, report))
			}
		})
	}
}

// A certificate cannot be judged when nothing answers, and is accepted when
// anything but the API does.
func TestTLSWithoutStatus(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{TLS: true})
	s := healthy(t, server)
	s.env["INFISYNC_CA_FILE"] = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.env["INFISYNC_CA_FILE"], server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[infisicaltest.Action]doctor.Result{
		infisicaltest.FaultReset: doctor.Skipped, infisicaltest.FaultHTML: doctor.OK,
	} {
		lift := server.Fault(infisicaltest.Fault{Do: action, Kind: infisicaltest.KindStatus})
		report := s.run(t)
		lift()
		if got := item(t, report, "tls"); got.Result != want {
			t.Errorf("%s: %+v, want %s", action, got, want)
		}
		if got := item(t, report, "status"); got.Result != doctor.Failed {
			t.Errorf("%s: %+v, want failed", action, got)
		}
	}
}

func TestAllowedHTTP(t *testing.T) {
	s := healthy(t, infisicaltest.New(t, infisicaltest.Options{}))
	s.env["INFISICAL_URL"], s.env["INFISYNC_ALLOW_HTTP"] = "http://infisical.invalid", "true"
	wantItem(t, s.run(t), "scheme", doctor.Warning, source.CodeHTTPNotAllowed, "unencrypted")
}

func TestClock(t *testing.T) {
	for by, says := range map[time.Duration]string{10 * time.Minute: "ahead by", -10 * time.Minute: "behind by"} {
		server := infisicaltest.New(t, infisicaltest.Options{})
		s := healthy(t, server)
		server.Advance(by)
		report := s.run(t)
		wantItem(t, report, "clock", doctor.Warning, doctor.CodeClockSkew, says)
		if report.Failed() {
			t.Errorf("a clock that is off failed:\n%s", printed(t, report))
		}
	}
}

func TestTokenLife(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	wantItem(t, s.run(t), "token", doctor.OK, "", "each cycle logs in for a fresh token, good for 720h0m0s")
	wantItem(t, s.with("INFISYNC_REUSE_TOKEN", "true").run(t), "token", doctor.OK, "", "--reuse-token")
	for ttl, want := range map[int]doctor.Result{30: doctor.Warning, -1: doctor.OK} {
		if err := change(func(i *infisicaltest.Identity) { i.TTL = ttl })(server, s); err != nil {
			t.Fatal(err)
		}
		if got := item(t, s.run(t), "token"); got.Result != want {
			t.Errorf("with a TTL of %d s: %+v, want %s", ttl, got, want)
		}
	}
	// By the server's clock, however wrong ours is.
	if err := change(func(i *infisicaltest.Identity) { i.TTL = 3600 })(server, s); err != nil {
		t.Fatal(err)
	}
	server.Advance(2 * time.Hour)
	wantItem(t, s.run(t), "token", doctor.OK, "", "good for")
}
