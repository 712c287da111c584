package doctor_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/doctor"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// A setup is what a user has set, and a state directory of its own.
type setup struct {
	env   map[string]string // variables
	flags config.Given
	dir   string // of the state; always the same in one test
	args  []string
	judge func(source.Secret) source.Code

	policy infisical.Policy
}

// healthy is a setup that works with the server, which has three secrets in dev.
func healthy(t *testing.T, server *infisicaltest.Server) *setup {
	t.Helper()
	values := map[string]string{"DB_URL": "postgres://" + canary, "API_KEY": canary, "EMPTY": ""}
	if err := server.SetAll(source.Place{Environment: "dev", Path: "/"}, values); err != nil {
		t.Fatal(err)
	}
	id, secret := server.Credentials()
	return newSetup(t, map[string]string{
		"INFISICAL_URL":           server.URL(),
		"INFISICAL_CLIENT_ID":     id,
		"INFISICAL_CLIENT_SECRET": secret,
		"INFISICAL_ENVIRONMENT":   "dev",
		"INFISICAL_PROJECT_ID":    server.Project(),
	})
}

func newSetup(t *testing.T, env map[string]string) *setup {
	policy := infisical.DefaultPolicy()
	policy.RateLimitWait, policy.ServerErrorWait, policy.ConnectionWait = time.Hour, time.Hour, time.Hour
	return &setup{env: env, flags: config.Given{}, dir: filepath.Join(t.TempDir(), "state"), args: []string{"infisync", "doctor"}, policy: policy}
}

// with returns a copy with one more variable.
func (s *setup) with(name, value string) *setup {
	other := *s
	other.env = maps.Clone(s.env)
	other.env[name] = value
	return &other
}

// run goes through the checklist as the command does.
func (s *setup) run(t *testing.T) doctor.Report {
	t.Helper()
	return s.runIn(t, t.Context())
}

func (s *setup) runIn(t *testing.T, ctx context.Context) doctor.Report {
	t.Helper()
	environ := func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }
	settings, err := config.Load(config.Run, s.flags, environ, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := doctor.Input{Settings: settings, StateDir: s.dir, Args: s.args, Judge: s.judge}
	in.Login = syncer.Setup{Settings: settings}.Login()
	in.Client, in.ClientErr = infisical.New(infisical.Config{
		URL: settings.URL, AllowHTTP: settings.AllowHTTP, CAFile: settings.CAFile, Login: in.Login, Policy: s.policy,
	})
	if settings.Credentials.HasSecret() {
		if secret, err := settings.Credentials.Secret(); err == nil {
			in.Key, in.KeyErr = vault.DeriveKey(secret)
		}
	}
	return doctor.Run(ctx, in)
}

// item returns the item of that name.
func item(t *testing.T, report doctor.Report, name string) doctor.Item {
	t.Helper()
	for _, item := range report {
		if item.Name == name {
			return item
		}
	}
	t.Fatalf("no item %q in %s", name, printed(t, report))
	return doctor.Item{}
}

// wantItem checks how one item came out.
func wantItem(t *testing.T, report doctor.Report, name string, result doctor.Result, code source.Code, says string) {
	t.Helper()
	got := item(t, report, name)
	if got.Result != result || got.Code != code || !strings.Contains(got.Text+" | "+got.Remedy, says) {
		t.Errorf("%s is %+v, want %s [%s] with %q", name, got, result, code, says)
	}
	if (got.Result == doctor.Failed || got.Result == doctor.Warning) && (got.Code == "" || got.Remedy == "") {
		t.Errorf("%s has no code or no remedy: %+v", name, got)
	}
}

// wantFailed checks that just one item failed.
func wantFailed(t *testing.T, report doctor.Report, name string, code source.Code, says string) {
	t.Helper()
	wantItem(t, report, name, doctor.Failed, code, says)
	for _, item := range report {
		if item.Result == doctor.Failed && item.Name != name {
			t.Errorf("%s failed, too: %+v", item.Name, item)
		}
	}
	if !report.Failed() {
		t.Error("Failed() is false")
	}
}

// printed is the report in both forms.
func printed(t *testing.T, report doctor.Report) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// canary is part of every secret value.
const canary = `ca"na'ry-7f3a9c`

// wantSilent checks that a report tells none of the texts.
func wantSilent(t *testing.T, report doctor.Report, secrets ...string) {
	t.Helper()
	text := printed(t, report)
	for _, secret := range append(secrets, "7f3a9c") {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("the report tells %q:\n%s", secret, text)
		}
	}
}

// refusedLogins counts the logins that the server refused.
func refusedLogins(server *infisicaltest.Server) int {
	n := 0
	for _, request := range server.Requests() {
		if request.Kind == infisicaltest.KindLogin && request.Status >= 400 {
			n++
		}
	}
	return n
}
