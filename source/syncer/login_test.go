package syncer

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"infisync/source/config"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
)

// identityMethods are the logins with a JWT: --auth, and the method in the route.
var identityMethods = map[config.Method]string{
	config.Kubernetes: "kubernetes-auth", config.OIDC: "oidc-auth", config.JWT: "jwt-auth",
}

// loaded is the Setup of a run with these variables, and what it says.
func loaded(t *testing.T, env map[string]string) (Setup, *bytes.Buffer) {
	t.Helper()
	environ := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	settings, err := config.Load(config.Run, nil, environ, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	return Setup{
		Settings: settings, Env: environ, Client: infisical.DefaultPolicy().InHaste(),
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

// Every cycle reads the file with the JWT anew: what the server accepts and the file
// holds are changed between two.
func TestEachCycleReadsTheJWT(t *testing.T) {
	for method, route := range identityMethods {
		t.Run(route, func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{})
			id, _ := server.Credentials()
			file := filepath.Join(t.TempDir(), "jwt")
			change := func(accepted, written string) {
				accept := map[string]map[string]string{route: {"jwt": accepted}}
				err := server.ChangeIdentity(id, func(i *infisicaltest.Identity) { i.Logins = accept })
				if err == nil {
					err = os.WriteFile(file, []byte(written+"\n"), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			setup, log := loaded(t, map[string]string{
				"INFISYNC_STATE_DIR": filepath.Join(t.TempDir(), "state"), "INFISICAL_URL": server.URL(),
				"INFISICAL_PROJECT_ID": server.Project(), "INFISICAL_ENVIRONMENT": "dev",
				"INFISICAL_AUTH_METHOD": string(method), "INFISICAL_MACHINE_IDENTITY_ID": id, "INFISICAL_JWT_FILE": file,
			})
			change("first.proof.1", "first.proof.1")
			opt, err := setup.Options()
			if err != nil {
				t.Fatal(err)
			}
			if opt.Known.Method != route || opt.Known.Identity != id || !opt.Key.IsZero() {
				t.Errorf("scope of %q, %q; a key: %v", opt.Known.Method, opt.Known.Identity, !opt.Key.IsZero())
			}
			r := &rig{t, server, New(opt), new(strings.Builder)}
			at := r.at("dev", "/")
			r.set(at, "A", "1")
			r.start()
			change("second.proof.2", "second.proof.2")
			r.set(at, "B", "1")
			r.poll(true, "A B")

			// Without the new one the next is refused, and the child keeps what it has.
			change("third.proof.3", "second.proof.2")
			r.set(at, "C", "1")
			r.poll(false, "A B")
			if !strings.Contains(log.String(), "login-refused") || strings.Contains(log.String(), ".proof.") {
				t.Errorf("log:\n%s", log)
			}
			want := "/api/v1/auth/" + route + "/login"
			logins := 0
			for _, request := range server.Requests() {
				if request.Kind == infisicaltest.KindLogin {
					logins++
					if request.Path != want || request.Method != "POST" {
						t.Errorf("a login by %s %s, want %s", request.Method, request.Path, want)
					}
				}
			}
			if logins != 3 {
				t.Errorf("%d logins, want 3", logins)
			}
		})
	}
}

// Only the client secret that logs in makes a key.
func TestKeyOfMethods(t *testing.T) {
	long := strings.Repeat("0123456789", 4)
	identity := map[string]string{"INFISICAL_URL": "https://example.com", "INFISICAL_MACHINE_IDENTITY_ID": "m", "INFISICAL_JWT": "a.b.c"}
	with := func(name, value string) map[string]string {
		env := map[string]string{name: value, "INFISICAL_CLIENT_ID": "i", "INFISICAL_CLIENT_SECRET": long}
		for name, value := range identity {
			env[name] = value
		}
		return env
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		key  bool
		says string
	}{
		{"JWT", identity, false, "running without a vault: with JWT auth its key must be given by --vault-key-file"},
		{"chosen beside a client secret", with("INFISYNC_AUTH", "kubernetes"), false, "with kubernetes auth its key"},
		{"client secret beside a JWT", with("INFISYNC_AUTH", "universal"), true, ""},
		{"nested", map[string]string{"INFISYNC_AUTH": "kubernetes", "INFISYNC_RUN": "1"}, false, ""},
	} {
		setup, log := loaded(t, tt.env)
		key, err := setup.Key()
		if err != nil || key.IsZero() == tt.key {
			t.Errorf("%s: a key: %v, %v", tt.name, !key.IsZero(), err)
		}
		if got := log.String(); (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
			t.Errorf("%s: said %q, want %q", tt.name, got, tt.says)
		}
	}
}

// A watch sweeps when it begins, and once a day: the JWTs of a pod come every hour,
// and what is remembered of each would pile up.
func TestWatchSweepsOnceADay(t *testing.T) {
	r := newRig(t, nil)
	r.set(r.at("dev", "/"), "A", "1")
	r.start()
	record := filepath.Join(r.syncer.store.dir, "run", "old.login")
	sweep := func(swept bool) {
		t.Helper()
		if err := os.WriteFile(record, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(record, then, then); err != nil {
			t.Fatal(err)
		}
		r.syncer.sweep()
		if _, err := os.Stat(record); os.IsNotExist(err) != swept {
			t.Errorf("the record: %v, want it swept: %v", err, swept)
		}
	}
	sweep(true)
	sweep(false)
	r.syncer.store.swept = time.Now().Add(-sweepEvery)
	sweep(true)
}
