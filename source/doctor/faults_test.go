package doctor_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
)

func TestHealthy(t *testing.T) {
	for _, profile := range infisicaltest.Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{Profile: profile})
			s := healthy(t, server)
			report := s.run(t)
			for _, item := range report {
				want := doctor.OK
				if item.Name == "tls" {
					want = doctor.Skipped
				}
				if item.Result != want {
					t.Errorf("%+v, want %s", item, want)
				}
			}
			if report.Failed() {
				t.Error("Failed() is true")
			}
			wantSilent(t, report, s.env["INFISICAL_CLIENT_SECRET"])
			wantItem(t, report, "permission", doctor.OK, "", "3 secrets")
			if n := server.Count(infisicaltest.KindLogin); n != 1 {
				t.Errorf("%d logins, want 1", n)
			}
		})
	}
}

// A faultCase is one way in which a server, an identity or a place is not as it
// should be, and the item that must say so.
type faultCase struct {
	name    string
	profile infisicaltest.Profile
	fault   infisicaltest.Fault
	broken  func(*infisicaltest.Server, *setup) error

	item string
	code source.Code
	says string // in text or remedy
}

func TestFaults(t *testing.T) {
	for _, cases := range [][]faultCase{statusFaults, loginFaults, placeFaults} {
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				server := infisicaltest.New(t, infisicaltest.Options{Profile: tt.profile})
				s := healthy(t, server)
				if tt.fault.Do != "" {
					defer server.Fault(tt.fault)()
				}
				if tt.broken != nil {
					if err := tt.broken(server, s); err != nil {
						t.Fatal(err)
					}
				}
				report := s.run(t)
				wantFailed(t, report, tt.item, tt.code, tt.says)
				wantSilent(t, report, s.env["INFISICAL_CLIENT_SECRET"], s.env["INFISICAL_TOKEN"])
				if n := refusedLogins(server); n > 1 {
					t.Errorf("%d logins were refused, want at most 1", n)
				}
				wantSkipped(t, report, tt.item)
			})
		}
	}
}

// wantSkipped checks that the items behind a failed one that need it name it as
// the reason, and that those about this machine were looked at.
func wantSkipped(t *testing.T, report doctor.Report, root string) {
	t.Helper()
	for _, item := range report {
		if item.Result == doctor.Skipped && strings.HasSuffix(item.Text, " failed") && item.Text != root+" failed" {
			t.Errorf("%s was skipped because %q, want %s failed", item.Name, item.Text, root)
		}
	}
	for _, name := range []string{"state-directory", "argv"} {
		if got := item(t, report, name); got.Result == doctor.Skipped {
			t.Errorf("%s was skipped: %q", name, got.Text)
		}
	}
}

var statusFaults = []faultCase{
	{name: "a web page", fault: infisicaltest.Fault{Do: infisicaltest.FaultHTML, Kind: infisicaltest.KindStatus},
		item: "status", code: source.CodeNotTheAPI, says: "not JSON"},
	{name: "a proxy's page", fault: infisicaltest.Fault{Do: infisicaltest.FaultHTML502, Kind: infisicaltest.KindStatus},
		item: "status", code: source.CodeServerError, says: "502"},
	{name: "another service", fault: infisicaltest.Fault{Do: infisicaltest.FaultForeignJSON, Kind: infisicaltest.KindStatus},
		item: "status", code: source.CodeNotTheAPI},
	{name: "database down", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindStatus, Status: 500},
		item: "status", code: source.CodeServerError},
	{name: "too many requests", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindStatus, Status: 429, RetryAfter: 60},
		item: "status", code: source.CodeRateLimited},
	{name: "redirect", fault: infisicaltest.Fault{Do: infisicaltest.FaultRedirect, Kind: infisicaltest.KindStatus, Location: "https://other.example"},
		item: "status", code: source.CodeRedirect, says: "other.example"},
	{name: "reset", fault: infisicaltest.Fault{Do: infisicaltest.FaultReset, Kind: infisicaltest.KindStatus},
		item: "status", code: source.CodeUnreachable},
	{name: "cut off", fault: infisicaltest.Fault{Do: infisicaltest.FaultCutBody, Kind: infisicaltest.KindStatus},
		item: "status", code: source.CodeNotTheAPI, says: "cut off"},
	{name: "hangs", fault: infisicaltest.Fault{Do: infisicaltest.FaultHang, Kind: infisicaltest.KindStatus},
		broken: func(_ *infisicaltest.Server, s *setup) error { s.policy.Answer = 200 * time.Millisecond; return nil },
		item:   "status", code: source.CodeTimeout},
	{name: "port closed", broken: func(server *infisicaltest.Server, _ *setup) error { return server.Down() },
		item: "tcp", code: source.CodeUnreachable, says: "connection refused"},
	{name: "wrong path in the URL", broken: set("INFISICAL_URL", func(s *infisicaltest.Server) string { return s.URL() + "/somewhere" }),
		item: "status", code: source.CodeNotTheAPI},
}

var loginFaults = []faultCase{
	{name: "wrong secret", broken: set("INFISICAL_CLIENT_SECRET", wrongSecret),
		item: "login", code: source.CodeLoginRefused, says: "does not say which"},
	{name: "unknown id", broken: set("INFISICAL_CLIENT_ID", func(*infisicaltest.Server) string { return "00000000-1111-2222-3333-444444444444" }),
		item: "login", code: source.CodeLoginRefused, says: "does not say which"},
	{name: "unknown id, 2024", profile: infisicaltest.Legacy,
		broken: set("INFISICAL_CLIENT_ID", func(*infisicaltest.Server) string { return "00000000-1111-2222-3333-444444444444" }),
		item:   "login", code: source.CodeLoginRefused, says: "not the identity's own id"},
	{name: "locked", broken: func(server *infisicaltest.Server, s *setup) error { return server.Lock(s.env["INFISICAL_CLIENT_ID"]) },
		item: "login", code: source.CodeIdentityLocked, says: "wait five minutes"},
	{name: "secret expired", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin, Status: 401,
		Message: "Access denied due to expired client secret"},
		item: "login", code: source.CodeLoginRefused, says: "create a new client secret"},
	{name: "secret used up", broken: func(server *infisicaltest.Server, s *setup) error {
		if err := change(func(i *infisicaltest.Identity) { i.SecretUses = 1 })(server, s); err != nil {
			return err
		}
		response, err := http.Post(s.env["INFISICAL_URL"]+"/api/v1/auth/universal-auth/login", "application/json", strings.NewReader(
			`{"clientId":"`+s.env["INFISICAL_CLIENT_ID"]+`","clientSecret":"`+s.env["INFISICAL_CLIENT_SECRET"]+`"}`))
		if err != nil {
			return err
		}
		return response.Body.Close()
	}, item: "login", code: source.CodeLoginRefused, says: "used as often as it may be"},
	{name: "address not trusted", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin, Status: 403,
		Message: "You are not allowed to access this resource from the current IP address"},
		item: "login", code: source.CodeLoginRefused, says: "trusted IPs"},
	{name: "no access token", fault: infisicaltest.Fault{Do: infisicaltest.FaultForeignJSON, Kind: infisicaltest.KindLogin},
		item: "login", code: source.CodeNoAccessToken, says: "rewrites its responses"},
	{name: "login not possible now", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin, Status: 503},
		item: "login", code: source.CodeServerError},
	{name: "logins contend", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindLogin, Status: 429, Message: "Failed to acquire lock"},
		item: "login", code: source.CodeRateLimited},
	{name: "fresh token refused", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindProjects, Status: 401,
		Message: "Access token usage limit reached"},
		item: "token", code: source.CodeTokenRefused, says: "number of uses"},
	{name: "ready token revoked", broken: func(server *infisicaltest.Server, s *setup) error {
		token, err := server.Token(s.env["INFISICAL_CLIENT_ID"])
		if err != nil {
			return err
		}
		err = server.Revoke(s.env["INFISICAL_CLIENT_ID"])
		s.env["INFISICAL_TOKEN"], s.env["INFISICAL_CLIENT_ID"], s.env["INFISICAL_CLIENT_SECRET"] = token, "", ""
		return err
	}, item: "token", code: source.CodeTokenRefused, says: "set a new INFISICAL_TOKEN"},
}

var placeFaults = []faultCase{
	{name: "unknown project", broken: set("INFISICAL_PROJECT_ID", func(*infisicaltest.Server) string { return "12345678-0000-0000-0000-000000000000" }),
		item: "projects", code: source.CodeProjectNotFound, says: infisicaltest.DefaultProjectID},
	{name: "no project for a server of 2024", profile: infisicaltest.Legacy,
		broken: set("INFISICAL_PROJECT_ID", func(*infisicaltest.Server) string { return "" }),
		item:   "projects", code: source.CodeProjectNotFound, says: "--project"},
	{name: "member of nothing", broken: change(func(i *infisicaltest.Identity) { i.Projects = []string{"none"} }),
		item: "projects", code: source.CodeProjectNotFound, says: "can access none"},
	{name: "several projects", broken: func(server *infisicaltest.Server, s *setup) error {
		s.env["INFISICAL_PROJECT_ID"] = ""
		return server.Seed(infisicaltest.Seed{Projects: []infisicaltest.Project{
			{Name: "another one", Environments: []infisicaltest.Environment{{Slug: "dev"}}}}})
	}, item: "projects", code: source.CodeSeveralProjects, says: "another one"},
	{name: "projects fail", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindProjects},
		item: "projects", code: source.CodeServerError},
	{name: "no environment", broken: set("INFISICAL_ENVIRONMENT", func(*infisicaltest.Server) string { return "" }),
		item: "places", code: source.CodeNoEnvironment, says: "dev, staging, prod"},
	{name: "unknown environment", broken: set("INFISICAL_ENVIRONMENT", func(*infisicaltest.Server) string { return "Development" }),
		item: "places", code: source.CodePlaceNotFound, says: "dev, staging, prod"},
	{name: "unknown environment, 2024", profile: infisicaltest.Legacy,
		broken: set("INFISICAL_ENVIRONMENT", func(*infisicaltest.Server) string { return "Development" }),
		item:   "places", code: source.CodePlaceNotFound, says: "dev, staging, prod"},
	{name: "unknown folder", broken: set("INFISICAL_SECRET_PATH", func(*infisicaltest.Server) string { return "/nowhere" }),
		item: "places", code: source.CodePlaceNotFound, says: "/nowhere"},
	{name: "unknown folder, 2024", profile: infisicaltest.Legacy,
		broken: set("INFISICAL_SECRET_PATH", func(*infisicaltest.Server) string { return "/nowhere" }),
		item:   "places", code: source.CodeNothingFound, says: "/nowhere"},
	{name: "empty folder", fault: infisicaltest.Fault{Do: infisicaltest.FaultEmptyList, Kind: infisicaltest.KindList},
		item: "places", code: source.CodeNothingFound, says: "--allow-empty"},
	{name: "listing answered by a web page", fault: infisicaltest.Fault{Do: infisicaltest.FaultHTML, Kind: infisicaltest.KindList},
		item: "places", code: source.CodeNotTheAPI},
	{name: "403 on fetch", broken: change(func(i *infisicaltest.Identity) { i.Role = infisicaltest.NoAccess }),
		item: "permission", code: source.CodeAccessDenied, says: "role in the project"},
	{name: "names only", broken: change(func(i *infisicaltest.Identity) { i.Role = infisicaltest.Describe }),
		item: "permission", code: source.CodeAccessDenied, says: "read the values"},
	{name: "references not to be read", fault: infisicaltest.Fault{Do: infisicaltest.FaultStatus, Kind: infisicaltest.KindList, Skip: 1, Status: 403,
		Message: "Failed to expand one or more secret references"},
		item: "permission", code: source.CodeAccessDenied, says: "--expand-references=false"},
	{name: "masked", fault: infisicaltest.Fault{Do: infisicaltest.FaultMaskValues, Kind: infisicaltest.KindList, Names: []string{"API_KEY"}},
		item: "permission", code: source.CodeValueMasked, says: "API_KEY"},
}

// set gives a variable another value.
func set(name string, value func(*infisicaltest.Server) string) func(*infisicaltest.Server, *setup) error {
	return func(server *infisicaltest.Server, s *setup) error {
		s.env[name] = value(server)
		return nil
	}
}

// change alters the identity on the server.
func change(edit func(*infisicaltest.Identity)) func(*infisicaltest.Server, *setup) error {
	return func(server *infisicaltest.Server, s *setup) error {
		return server.ChangeIdentity(s.env["INFISICAL_CLIENT_ID"], edit)
	}
}

func wrongSecret(*infisicaltest.Server) string { return strings.Repeat("wrong-7f3a9c-", 5) }

// However often it runs, the checklist does not lock the identity.
func TestRunAgainDoesNotLock(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	wrong := s.with("INFISICAL_CLIENT_SECRET", wrongSecret(server))
	for range 2 {
		wantFailed(t, wrong.run(t), "login", source.CodeLoginRefused, "")
	}
	for range 3 {
		wantFailed(t, wrong.run(t), "login", source.CodeLoginWithheld, "would lock")
	}
	if n := refusedLogins(server); n != 2 {
		t.Errorf("%d logins were refused, want 2", n)
	}
	if report := s.run(t); report.Failed() {
		t.Errorf("the right secret right afterwards:\n%s", printed(t, report))
	}
}

// A checklist whose time is over ends, and does not log in.
func TestContextEnds(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report := s.runIn(t, ctx)
	wantFailed(t, report, "tcp", source.CodeUnreachable, "canceled")
	if n := server.Count(infisicaltest.KindAny); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}
