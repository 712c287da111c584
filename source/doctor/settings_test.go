package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
)

// Mistakes in the settings are found before anything is sent.
func TestSettings(t *testing.T) {
	const hex = "7f3a9c0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
	const uuid = "1f6d2c4b-8a3e-4f57-b1c9-d0e1f2a3b4c5"
	for _, tt := range []struct {
		name, variable, text string

		item string
		code source.Code
		says string
	}{
		{"no URL", "INFISICAL_URL", "", "url", source.CodePartMissing, "INFISICAL_URL is missing"},
		{"no https", "INFISICAL_URL", "app.infisical.com", "url", source.CodeConfigInvalid, "https://"},
		{"password in the URL", "INFISICAL_URL", "https://user:7f3a9c@host", "url", source.CodeConfigInvalid, "take it out"},
		{"secret in the place of the URL", "INFISICAL_URL", hex, "url", source.CodeConfigInvalid, "does not begin with https://"},
		{"plain http", "INFISICAL_URL", "http://192.0.2.1", "scheme", source.CodeHTTPNotAllowed, "--allow-http"},
		{"no id", "INFISICAL_CLIENT_ID", "", "client-id", source.CodePartMissing, "INFISICAL_CLIENT_ID is missing"},
		{"blank id", "INFISICAL_CLIENT_ID", " ", "client-id", source.CodePartMissing, "INFISICAL_CLIENT_ID is missing"},
		{"sample id", "INFISICAL_CLIENT_ID", "your-client-id", "client-id", CodeCredential, "placeholder"},
		{"quoted id", "INFISICAL_CLIENT_ID", `"` + uuid + `"`, "client-id", CodeCredential, "quotes"},
		{"two ids", "INFISICAL_CLIENT_ID", uuid + " " + uuid, "client-id", CodeCredential, "white space"},
		{"no secret", "INFISICAL_CLIENT_SECRET", "", "client-secret", source.CodePartMissing, "INFISICAL_CLIENT_SECRET is missing"},
		{"blank secret", "INFISICAL_CLIENT_SECRET", " \n", "client-secret", source.CodePartMissing, "empty"},
		{"sample secret", "INFISICAL_CLIENT_SECRET", "your-client-secret", "client-secret", CodeCredential, "placeholder"},
		{"bracketed sample", "INFISICAL_CLIENT_SECRET", "<client secret>", "client-secret", CodeCredential, "placeholder"},
		{"changeme", "INFISICAL_CLIENT_SECRET", "ChangeMe", "client-secret", CodeCredential, "placeholder"},
		{"crossed out", "INFISICAL_CLIENT_SECRET", "xxxxxxxx", "client-secret", CodeCredential, "placeholder"},
		{"not substituted", "INFISICAL_CLIENT_SECRET", "${CLIENT_SECRET}", "client-secret", CodeCredential, "placeholder"},
		{"quoted secret", "INFISICAL_CLIENT_SECRET", "'" + hex + "'", "client-secret", CodeCredential, "quotes"},
		{"broken secret", "INFISICAL_CLIENT_SECRET", hex[:32] + "\n" + hex[32:], "client-secret", CodeCredential, "white space"},
		{"id as secret", "INFISICAL_CLIENT_SECRET", uuid, "client-secret", CodeCredential, "same"},
		{"id and secret swapped", "INFISICAL_CLIENT_ID", hex, "client-secret", CodeCredential, "look swapped"},
		{"no secret file", "INFISICAL_CLIENT_SECRET_FILE", "/nonexistent/secret", "client-secret", source.CodeConfigInvalid, "(INFISICAL_CLIENT_SECRET_FILE): no such file"},
		{"no CA file", "INFISYNC_CA_FILE", "/nonexistent/ca.pem", "tls", source.CodeConfigInvalid, "/nonexistent/ca.pem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{})
			s := newSetup(t, map[string]string{
				"INFISICAL_URL": server.URL(), "INFISICAL_CLIENT_ID": uuid, "INFISICAL_CLIENT_SECRET": hex, "INFISICAL_ENVIRONMENT": "dev",
			})
			if tt.name == "id and secret swapped" {
				s.env["INFISICAL_CLIENT_SECRET"] = uuid
			}
			s.env[tt.variable] = tt.text
			if tt.name == "plain http" {
				s.policy.Dial = 1 // the host does not exist, and the item before tcp is meant
			}
			report := s.run(t)
			wantItem(t, report, tt.item, doctor.Failed, tt.code, tt.says)
			wantSilent(t, report, s.env["INFISICAL_CLIENT_SECRET"])
			if n := server.Count(infisicaltest.KindLogin); n != 0 {
				t.Errorf("%d logins, want none", n)
			}
		})
	}
}

const CodeCredential = source.CodeCredentialInvalid

func TestNothingConfigured(t *testing.T) {
	report := newSetup(t, nil).run(t)
	wantFailed(t, report, "url", source.CodeNothingConfigured, ".env")
	wantItem(t, report, "client-id", doctor.Skipped, "", "nothing is configured")
	wantItem(t, report, "vault", doctor.Skipped, "", "nothing is configured")
}

// White space around a credential is what editors leave, and dropped.
func TestWhiteSpaceAround(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(s.env["INFISICAL_CLIENT_SECRET"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env["INFISICAL_CLIENT_SECRET"], s.env["INFISICAL_CLIENT_SECRET_FILE"] = "", file
	if report := s.run(t); report.Failed() {
		t.Errorf("a line end in the secret's file:\n%s", printed(t, report))
	}
	s.env["INFISICAL_CLIENT_ID"] += " "
	report := s.run(t)
	wantItem(t, report, "client-id", doctor.Warning, CodeCredential, "white space around")
	wantItem(t, report, "login", doctor.OK, "", "")
}

func TestReadyToken(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	token, err := server.Token(s.env["INFISICAL_CLIENT_ID"])
	if err != nil {
		t.Fatal(err)
	}
	s.env["INFISICAL_TOKEN"], s.env["INFISICAL_CLIENT_ID"], s.env["INFISICAL_CLIENT_SECRET"] = token, "", ""
	report := s.run(t)
	if report.Failed() {
		t.Errorf("a ready token:\n%s", printed(t, report))
	}
	wantItem(t, report, "client-id", doctor.Skipped, "", "ready token")
	wantItem(t, report, "token", doctor.OK, "", "good for 720h")
	wantItem(t, report, "vault", doctor.Warning, source.CodeVaultNoKey, "without a vault")
	wantSilent(t, report, token)
	if n := server.Count(infisicaltest.KindLogin); n != 0 {
		t.Errorf("%d logins, want none", n)
	}

	s.env["INFISICAL_TOKEN"] = "<token>"
	wantFailed(t, s.run(t), "client-secret", CodeCredential, "placeholder")
}

// A service token may list no projects, and needs not.
func TestServiceToken(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	token := "st.0a1b2c3d-0000-0000-0000-000000000000.7f3a9cservicetoken0123456789"
	err := server.Seed(infisicaltest.Seed{ServiceTokens: []infisicaltest.ServiceToken{{Token: token, Project: server.Project(), Environment: "dev"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.env["INFISICAL_TOKEN"], s.env["INFISICAL_CLIENT_ID"], s.env["INFISICAL_CLIENT_SECRET"] = token, "", ""
	report := s.run(t)
	wantItem(t, report, "projects", doctor.OK, "", "does not let it list")
	wantItem(t, report, "permission", doctor.OK, "", "3 secrets")
	wantSilent(t, report, token)
}

// What names a project is shown, unless it is the secret.
func TestSecretInThePlaceOfAProject(t *testing.T) {
	s := healthy(t, infisicaltest.New(t, infisicaltest.Options{}))
	secret := s.env["INFISICAL_CLIENT_SECRET"]
	s.env["INFISICAL_PROJECT_ID"] = secret
	report := s.run(t)
	wantFailed(t, report, "projects", source.CodeProjectNotFound, "[redacted]")
	wantSilent(t, report, secret)
}

func TestArgv(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	secret := s.env["INFISICAL_CLIENT_SECRET"]
	jwt := "eyJhbGciOiJIUzI1NiJ9." + strings.Repeat("7f3a9c", 8) + ".signature"
	for _, args := range [][]string{
		{"infisync", "doctor", secret},
		{"infisync", "doctor", "--rename=A=" + secret},
		{"infisync", "doctor", "--token", jwt},
		{"infisync", "doctor", "--token=" + jwt},
		{"infisync", "doctor", "st.0a1b2c3d-0000-0000-0000-000000000000.7f3a9c0123"},
	} {
		s.args = args
		report := s.run(t)
		wantFailed(t, report, "argv", source.CodeSecretInArgv, "rotate the client secret")
		wantSilent(t, report, secret, jwt)
	}
	s.args = []string{"infisync", "doctor", "--state-dir=/srv/st.example.com/a.b.c/infisync", "--env=dev", "eyJ", "--only=st.*"}
	wantItem(t, s.run(t), "argv", doctor.OK, "", "")
}
