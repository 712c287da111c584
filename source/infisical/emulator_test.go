package infisical_test

import (
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
)

// inProfiles runs a test against each kind of server there is.
func inProfiles(t *testing.T, test func(*testing.T, infisicaltest.Profile)) {
	for _, profile := range infisicaltest.Profiles() {
		t.Run(string(profile), func(t *testing.T) { test(t, profile) })
	}
}

// emulate starts a server and returns a client of its first identity.
func emulate(t *testing.T, profile infisicaltest.Profile, change ...func(*infisicaltest.Seed)) (*infisicaltest.Server, *infisical.Client) {
	t.Helper()
	seed := infisicaltest.DefaultSeed()
	for _, f := range change {
		f(&seed)
	}
	s := infisicaltest.New(t, infisicaltest.Options{Profile: profile, Seed: &seed})
	id, secret := s.Credentials()
	return s, newClient(t, s.URL(), func(c *infisical.Config) {
		c.Login = infisical.UniversalAuth{ClientID: id, Secret: secretOf(secret)}
	})
}

func devPlace(path string) source.Place {
	return source.Place{Project: infisicaltest.DefaultProjectID, Environment: "dev", Path: path}
}

// values are what a listing holds, by folder and name.
func values(listing source.Listing) map[string]string {
	got := make(map[string]string)
	for _, s := range listing.Own {
		got[s.Place.String()+" "+s.Name] = s.Value.Reveal()
	}
	for _, imported := range listing.Imports {
		for _, s := range imported.Secrets {
			got["import "+s.Place.String()+" "+s.Name] = s.Value.Reveal()
		}
	}
	return got
}

func withSecrets(seed *infisicaltest.Seed) {
	seed.Folders = []infisicaltest.Folder{
		{Environment: "dev", Secrets: []infisicaltest.Secret{
			{Name: "A", Value: "one", Version: 3}, {Name: "EMPTY", Value: ""},
			{Name: "PEM", Value: "-----BEGIN-----\na+b/c=\n-----END-----\n"},
			{Name: "REF", Value: "${A} & ${dev.sub.B}"}, {Name: "ODD", Value: "$x \"y\" 'z' \\ ü 🔑"},
		}, Imports: []infisicaltest.Import{{Environment: "prod"}}},
		{Environment: "dev", Path: "/sub", Secrets: []infisicaltest.Secret{{Name: "A", Value: "in sub"}, {Name: "B", Value: "two"}}},
		{Environment: "prod", Secrets: []infisicaltest.Secret{{Name: "P", Value: "prod's"}}},
	}
}

func TestEmulatorList(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		_, client := emulate(t, profile, withSecrets)
		session := login(t, client)
		own := map[string]string{
			devPlace("/").String() + " A": "one", devPlace("/").String() + " EMPTY": "",
			devPlace("/").String() + " PEM": "-----BEGIN-----\na+b/c=\n-----END-----\n",
			devPlace("/").String() + " REF": "${A} & ${dev.sub.B}", devPlace("/").String() + " ODD": "$x \"y\" 'z' \\ ü 🔑",
		}
		check := func(q infisical.Query, change func(want map[string]string)) {
			t.Helper()
			q.Place = devPlace("/")
			want := make(map[string]string)
			for k, v := range own {
				want[k] = v
			}
			change(want)
			answer, err := session.List(t.Context(), q)
			if err != nil {
				t.Errorf("List(%+v): %v", q, err)
				return
			}
			got := values(answer.Listing)
			for k, v := range want {
				if g, ok := got[k]; !ok || g != v {
					t.Errorf("List(%+v): %s is %q, want %q", q, k, g, v)
				}
			}
			if len(got) != len(want) {
				t.Errorf("List(%+v) has %d secrets, want %d", q, len(got), len(want))
			}
		}
		prod := source.Place{Project: infisicaltest.DefaultProjectID, Environment: "prod", Path: "/"}
		check(infisical.Query{}, func(map[string]string) {})
		check(infisical.Query{Expand: true}, func(want map[string]string) { want[devPlace("/").String()+" REF"] = "one & two" })
		check(infisical.Query{Recursive: true}, func(want map[string]string) {
			want[devPlace("/sub").String()+" A"], want[devPlace("/sub").String()+" B"] = "in sub", "two"
		})
		check(infisical.Query{Imports: true}, func(want map[string]string) { want["import "+prod.String()+" P"] = "prod's" })

		secret, err := session.Get(t.Context(), devPlace("/"), "A", false)
		if err != nil || secret.Value.Reveal() != "one" || secret.Version != 3 || secret.Place != devPlace("/") {
			t.Errorf("Get(A) = %+v, %v", secret, err)
		}
		for _, name := range []string{"NONE", "P", ""} { // P is there through an import only
			_, err = session.Get(t.Context(), devPlace("/"), name, false)
			wantCode(t, err, source.CodeSecretNotFound)
		}
	})
}

// A fresh token of the same identity still gets its 304.
func TestEmulatorNotModified(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile, withSecrets)
		q := infisical.Query{Place: devPlace("/"), Imports: true}
		first, err := login(t, client).List(t.Context(), q)
		if err != nil || first.ETag == "" || first.NotModified {
			t.Fatalf("first list: %v, %v", first, err)
		}
		q.ETag = first.ETag
		second, err := login(t, client).List(t.Context(), q)
		if err != nil || !second.NotModified || second.ETag != first.ETag || !second.Listing.Empty() {
			t.Errorf("unchanged: %v, %v", second, err)
		}
		if err := s.Set(devPlace("/"), "A", "changed"); err != nil {
			t.Fatal(err)
		}
		third, err := login(t, client).List(t.Context(), q)
		if err != nil || third.NotModified || third.ETag == first.ETag || values(third.Listing)[devPlace("/").String()+" A"] != "changed" {
			t.Errorf("changed: %v, %v", third, err)
		}
		if got := s.Count(infisicaltest.KindList304); got != 1 {
			t.Errorf("%d answers 304, want 1", got)
		}
	})
}

func TestEmulatorMissing(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		_, client := emulate(t, profile, withSecrets)
		session := login(t, client)
		old := profile == infisicaltest.Legacy
		for name, tt := range map[string]struct {
			place source.Place
			want  source.Code
			empty bool // on old servers
		}{
			"path":        {devPlace("/none"), source.CodePlaceNotFound, true},
			"environment": {source.Place{Project: infisicaltest.DefaultProjectID, Environment: "dve", Path: "/"}, source.CodePlaceNotFound, true},
			"project":     {source.Place{Project: "5a5a5a5a-0000-4000-8000-000000000000", Environment: "dev", Path: "/"}, source.CodeProjectNotFound, false},
		} {
			got, err := session.List(t.Context(), infisical.Query{Place: tt.place})
			if old && tt.empty {
				if err != nil || !got.Listing.Empty() {
					t.Errorf("%s: %v, %v", name, got, err)
				}
				continue
			}
			if source.CodeOf(err) != tt.want {
				t.Errorf("%s: code %s, want %s: %v", name, source.CodeOf(err), tt.want, err)
			}
		}
	})
}

func TestEmulatorProjects(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		_, client := emulate(t, profile)
		session := login(t, client)
		project, err := session.Project(t.Context(), infisicaltest.DefaultProjectID)
		if err != nil || project.Name != "demo" || len(project.Environments) != 3 || project.Environments[0].Slug != "dev" {
			t.Errorf("Project() = %+v, %v", project, err)
		}
		projects, err := session.Projects(t.Context())
		if profile == infisicaltest.Legacy {
			wantCode(t, err, source.CodeAccessDenied)
			return
		}
		if err != nil || len(projects) != 1 || projects[0].ID != infisicaltest.DefaultProjectID {
			t.Errorf("Projects() = %+v, %v", projects, err)
		}
	})
}

func TestEmulatorStatus(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile)
		s.Advance(90 * time.Second)
		status, err := client.Status(t.Context())
		if err != nil || status.Message != "Ok" || status.Skew < 80*time.Second || status.Skew > 91*time.Second {
			t.Errorf("Status() = %+v, %v", status, err)
		}
		if err := s.Down(); err != nil {
			t.Fatal(err)
		}
		_, err = client.Status(t.Context())
		wantCode(t, err, source.CodeUnreachable)
	})
}

// However a token ends, the session gets another.
func TestEmulatorTokenEnds(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		for name, tt := range map[string]struct {
			change func(*infisicaltest.Identity)
			end    func(*infisicaltest.Server)
		}{
			"expired": {func(i *infisicaltest.Identity) { i.TTL = 60 }, func(s *infisicaltest.Server) { s.Advance(2 * time.Minute) }},
			"max TTL": {func(i *infisicaltest.Identity) { i.TTL, i.MaxTTL = 60, 60 }, func(s *infisicaltest.Server) { s.Advance(time.Hour) }},
			"revoked": {nil, func(s *infisicaltest.Server) { s.Revoke(infisicaltest.DefaultClientID) }},
			"spent":   {func(i *infisicaltest.Identity) { i.TokenUses = 2 }, func(*infisicaltest.Server) {}},
		} {
			t.Run(name, func(t *testing.T) {
				s, client := emulate(t, profile, withSecrets, func(seed *infisicaltest.Seed) {
					if tt.change != nil {
						tt.change(&seed.Identities[0])
					}
				})
				session := login(t, client)
				for range 2 {
					if _, err := session.List(t.Context(), infisical.Query{Place: devPlace("/")}); err != nil {
						t.Fatal(err)
					}
				}
				tt.end(s)
				if _, err := session.List(t.Context(), infisical.Query{Place: devPlace("/")}); err != nil {
					t.Error(err)
				}
				if n := s.Count(infisicaltest.KindLogin); n < 2 {
					t.Errorf("%d logins", n)
				}
			})
		}
	})
}

func TestEmulatorLoginRefused(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile)
		wrong := func(id string) *infisical.Client {
			return newClient(t, s.URL(), func(c *infisical.Config) {
				c.Login = infisical.UniversalAuth{ClientID: id, Secret: secretOf("wrong")}
			})
		}
		_, err := wrong("00000000-0000-4000-8000-000000000000").Login(t.Context())
		wantCode(t, err, source.CodeLoginRefused)
		if n := s.Count(infisicaltest.KindLogin); n != 1 {
			t.Errorf("a refused login was tried %d times", n)
		}
		if err := s.Lock(infisicaltest.DefaultClientID); err != nil {
			t.Fatal(err)
		}
		_, err = client.Login(t.Context())
		wantCode(t, err, source.CodeIdentityLocked)
	})
}

func TestEmulatorPermissions(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		for name, tt := range map[string]struct {
			change func(*infisicaltest.Identity)
			want   source.Code
			names  bool // may list names
		}{
			"no access": {func(i *infisicaltest.Identity) { i.Role = infisicaltest.NoAccess }, source.CodeAccessDenied, false},
			"describe":  {func(i *infisicaltest.Identity) { i.Role = infisicaltest.Describe }, source.CodeAccessDenied, true},
			"stranger":  {func(i *infisicaltest.Identity) { i.Projects = []string{"other"} }, source.CodeAccessDenied, false},
		} {
			_, client := emulate(t, profile, withSecrets, func(seed *infisicaltest.Seed) { tt.change(&seed.Identities[0]) })
			session := login(t, client)
			_, err := session.List(t.Context(), infisical.Query{Place: devPlace("/")})
			if source.CodeOf(err) != tt.want {
				t.Errorf("%s: code %s, want %s: %v", name, source.CodeOf(err), tt.want, err)
			}
			got, err := session.List(t.Context(), infisical.Query{Place: devPlace("/"), NamesOnly: true})
			if tt.names && profile != infisicaltest.Legacy && (err != nil || len(got.Listing.Own) != 5) {
				t.Errorf("%s: names: %v, %v", name, got, err)
			}
		}
		s, client := emulate(t, profile, withSecrets)
		defer s.Fault(infisicaltest.Fault{Do: infisicaltest.FaultMaskValues, Names: []string{"PEM"}})()
		_, err := login(t, client).List(t.Context(), infisical.Query{Place: devPlace("/")})
		wantCode(t, err, source.CodeValueMasked)
		wantText(t, err, `"PEM"`)
	})
}

func TestEmulatorFaults(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		for action, want := range map[infisicaltest.Action]source.Code{
			infisicaltest.FaultStatus:      source.CodeServerError,
			infisicaltest.FaultHTML:        source.CodeNotTheAPI,
			infisicaltest.FaultHTML502:     source.CodeServerError,
			infisicaltest.FaultForeignJSON: source.CodeNotTheAPI,
			infisicaltest.FaultReset:       source.CodeUnreachable,
			infisicaltest.FaultHugeBody:    source.CodeNotTheAPI,
			infisicaltest.FaultCutBody:     source.CodeNotTheAPI,
			infisicaltest.FaultHang:        source.CodeTimeout,
			infisicaltest.FaultStallBody:   source.CodeTimeout,
		} {
			t.Run(string(action), func(t *testing.T) {
				s, client := emulate(t, profile, withSecrets)
				defer s.Fault(infisicaltest.Fault{Do: action, Kind: infisicaltest.KindList})()
				policy := quick().InHaste()
				policy.MaxBody = 1 << 20
				if want == source.CodeTimeout {
					policy.Answer = 100 * time.Millisecond
				}
				got, err := login(t, client).With(policy).List(t.Context(), infisical.Query{Place: devPlace("/")})
				wantCode(t, err, want)
				if !got.Listing.Empty() {
					t.Errorf("a listing came with the error")
				}
			})
		}
	})
}

// A user's and a service token are ready made.
func TestEmulatorReadyTokens(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, _ := emulate(t, profile, withSecrets, func(seed *infisicaltest.Seed) {
			seed.ServiceTokens = []infisicaltest.ServiceToken{{Token: "st.1.secret", Environment: "dev"}}
			seed.Users = []infisicaltest.User{{ID: "u"}}
			seed.Folders[0].Secrets = append(seed.Folders[0].Secrets, infisicaltest.Secret{Name: "A", Value: "mine", User: "u"})
		})
		user, err := s.UserToken("u")
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"st.1.secret", "st.1.secret.key", user} {
			client := newClient(t, s.URL(), func(c *infisical.Config) { c.Login = infisical.Token{Read: secretOf(token)} })
			got, err := login(t, client).List(t.Context(), infisical.Query{Place: devPlace("/")})
			if err != nil || len(got.Listing.Own) != 5 || values(got.Listing)[devPlace("/").String()+" A"] != "one" {
				t.Errorf("%.10s…: %v, %v", token, got, err)
			}
		}
	})
}
