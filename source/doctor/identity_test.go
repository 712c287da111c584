package doctor_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
)

// proof is a JWT that ends then; the zero time: never.
func proof(end time.Time) string {
	claims := `{}`
	if !end.IsZero() {
		claims = fmt.Sprintf(`{"exp":%d}`, end.Unix())
	}
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".7f3a9csignature"
}

// identified is a setup that logs in with that method, for which the server accepts
// good; given is what the file holds.
func identified(t *testing.T, server *infisicaltest.Server, method, good, given string) *setup {
	t.Helper()
	s := healthy(t, server)
	accepted := map[string]map[string]string{method: {"jwt": good}}
	if err := server.ChangeIdentity(s.env["INFISICAL_CLIENT_ID"], func(i *infisicaltest.Identity) { i.Logins = accepted }); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jwt")
	if err := os.WriteFile(file, []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env["INFISICAL_MACHINE_IDENTITY_ID"], s.env["INFISICAL_JWT_FILE"] = s.env["INFISICAL_CLIENT_ID"], file
	s.env["INFISICAL_CLIENT_ID"], s.env["INFISICAL_CLIENT_SECRET"] = "", ""
	s.env["INFISICAL_AUTH_METHOD"] = method
	return s
}

var identityMethods = map[string]string{ // method → how it is called
	"kubernetes-auth": "kubernetes auth", "oidc-auth": "OIDC auth", "jwt-auth": "JWT auth",
}

func TestIdentityAuth(t *testing.T) {
	for method, called := range identityMethods {
		t.Run(method, func(t *testing.T) {
			good := proof(time.Now().Add(time.Hour))
			server := infisicaltest.New(t, infisicaltest.Options{})
			s := identified(t, server, method, good, good+"\n")
			report := s.run(t)
			if report.Failed() {
				t.Errorf("a good JWT:\n%s", printed(t, report))
			}
			wantItem(t, report, "client-id", doctor.OK, "", "an identity id is set (INFISICAL_MACHINE_IDENTITY_ID), for "+called)
			wantItem(t, report, "client-secret", doctor.OK, "", "a JWT is set, good for ")
			wantItem(t, report, "login", doctor.OK, "", "accepted")
			wantItem(t, report, "token", doctor.OK, "", "each cycle logs in")
			wantItem(t, report, "vault", doctor.Warning, source.CodeVaultNoKey, "without a vault")
			wantSilent(t, report, good)
		})
	}
}

// What is wrong with an identity id or a JWT is seen before it is sent.
func TestIdentitySettings(t *testing.T) {
	ended := proof(time.Now().Add(-time.Hour))
	for _, tt := range []struct {
		name, variable, text string // "" for the variable: the file
		item                 string
		result               doctor.Result
		code                 source.Code
		says                 string
	}{
		{"no id", "INFISICAL_MACHINE_IDENTITY_ID", "", "client-id", doctor.Failed, source.CodePartMissing, "no identity id is set: INFISICAL_MACHINE_IDENTITY_ID is missing"},
		{"sample id", "INFISICAL_MACHINE_IDENTITY_ID", "<identity-id>", "client-id", doctor.Failed, CodeCredential, "the identity id (INFISICAL_MACHINE_IDENTITY_ID) is a placeholder"},
		{"no file", "INFISICAL_JWT_FILE", "/nonexistent/jwt", "client-secret", doctor.Failed, source.CodeConfigInvalid, "(INFISICAL_JWT_FILE): no such file"},
		{"no JWT", "INFISICAL_JWT_FILE", "", "client-secret", doctor.Failed, source.CodePartMissing, "the JWT is not set: INFISICAL_JWT or --jwt-file is missing"},
		{"empty file", "", " \n", "client-secret", doctor.Failed, source.CodePartMissing, "the credential from INFISICAL_JWT_FILE is empty"},
		{"quotes", "", `"` + ended + `"`, "client-secret", doctor.Failed, CodeCredential, "the JWT from INFISICAL_JWT_FILE has quotes around it"},
		{"no JWT in it", "", "7f3a9c-an-api-key", "client-secret", doctor.Failed, CodeCredential, "does not have three parts"},
		{"ended", "", ended, "client-secret", doctor.Warning, CodeCredential, "the JWT expired 1h0m"},
		{"without end", "", proof(time.Time{}), "client-secret", doctor.OK, "", "without an expiry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{})
			given := proof(time.Now().Add(time.Hour))
			if tt.variable == "" {
				given = tt.text
			}
			s := identified(t, server, "oidc-auth", "good.proof.1", given)
			if tt.variable != "" {
				s.env[tt.variable] = tt.text
			}
			report := s.run(t)
			wantItem(t, report, tt.item, tt.result, tt.code, tt.says)
			wantSilent(t, report, given)
			if n := server.Count(infisicaltest.KindLogin); n != 0 && tt.result == doctor.Failed {
				t.Errorf("%d logins, want none", n)
			}
		})
	}
}

// A refused login has the remedy for its method.
func TestIdentityRefused(t *testing.T) {
	given := proof(time.Now().Add(time.Hour))
	for method, says := range map[string]string{
		"kubernetes-auth": "Kubernetes auth: that it allows the pod's service account",
		"oidc-auth":       "OIDC auth: that issuer, subject",
		"jwt-auth":        "an OIDC provider's token needs --auth oidc",
	} {
		server := infisicaltest.New(t, infisicaltest.Options{})
		s := identified(t, server, method, "another.proof.1", given)
		for range 2 {
			wantFailed(t, s.run(t), "login", source.CodeLoginRefused, says)
		}
		report := s.run(t)
		wantFailed(t, report, "login", source.CodeLoginWithheld, "a different one is tried at once")
		wantSilent(t, report, given)
		if n := refusedLogins(server); n != 2 {
			t.Errorf("%s: %d logins were refused, want 2", method, n)
		}

		s = identified(t, server, method, given, given)
		s.env["INFISICAL_MACHINE_IDENTITY_ID"] = "00000000-1111-2222-3333-444444444444"
		wantFailed(t, s.run(t), "login", source.CodeLoginRefused, "it is the identity's own id, no client id")

		s = identified(t, server, method, given, given)
		server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin, Status: http.StatusForbidden,
			Message: "You are not allowed to access this resource from the current IP address"})
		wantFailed(t, s.run(t), "login", source.CodeLoginRefused, "trusted IPs of the identity's ")
	}
}
