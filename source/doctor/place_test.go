package doctor_test

import (
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/doctor"
	"infisync/source/infisical/infisicaltest"
)

func TestPlaces(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	for place, value := range map[source.Place]string{
		{Environment: "dev", Path: "/app"}:    "a",
		{Environment: "prod", Path: "/"}:      "b",
		{Environment: "staging", Path: "/db"}: "c",
	} {
		if err := server.Set(place, "FROM_"+strings.ToUpper(place.Environment), value); err != nil {
			t.Fatal(err)
		}
	}
	s.flags["from"] = []string{"prod", "dev:/app"}
	wantItem(t, s.run(t), "places", doctor.OK, "", "dev:/app lists 1")

	s.flags["from"] = []string{"staging"}
	wantFailed(t, s.run(t), "places", source.CodeNothingFound, "staging:/")
	wantItem(t, s.with("INFISYNC_ALLOW_EMPTY", "true").run(t), "places", doctor.OK, "", "lists 0")
	wantItem(t, s.with("INFISYNC_RECURSIVE", "true").run(t), "places", doctor.OK, "", "lists 1")

	s.flags["env"] = []string{"dev"}
	wantFailed(t, s.run(t), "places", source.CodeUsage, "--from names the whole place")
}

func TestProjects(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server).with("INFISICAL_PROJECT_ID", "")
	report := s.run(t)
	wantItem(t, report, "places", doctor.OK, "", server.Project())
	if report.Failed() {
		t.Errorf("the only project is not found out:\n%s", printed(t, report))
	}

	err := server.Seed(infisicaltest.Seed{Projects: []infisicaltest.Project{
		{ID: "11111111-0000-0000-0000-000000000000", Name: "with \x1b[31mdev", Environments: []infisicaltest.Environment{{Slug: "dev"}}},
		{ID: "22222222-0000-0000-0000-000000000000", Name: "without", Environments: []infisicaltest.Environment{{Slug: "other"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Set(source.Place{Project: "11111111-0000-0000-0000-000000000000", Environment: "dev", Path: "/"}, "ANOTHER", "x"); err != nil {
		t.Fatal(err)
	}
	all := s.with("INFISYNC_ALL_PROJECTS", "true")
	report = all.run(t)
	wantItem(t, report, "permission", doctor.OK, "", "4 secrets")
	if strings.Contains(printed(t, report), "\x1b") {
		t.Error("a project's name reaches the terminal as it is")
	}
	all.env["INFISICAL_ENVIRONMENT"] = "nowhere"
	wantFailed(t, all.run(t), "places", source.CodePlaceNotFound, "other")
}

// byName judges as package inject would.
func byName(secret source.Secret) source.Code {
	switch {
	case strings.Contains(secret.Name, "="):
		return "env-name"
	case secret.Name == "NODE_OPTIONS":
		return "name-refused"
	case secret.Name == "PATH":
		return "names-withheld"
	case len(secret.Value.Reveal()) > 128<<10:
		return "env-too-large"
	case strings.Contains(secret.Value.Reveal(), "\x00"):
		return "env-value"
	}
	return ""
}

func TestNamesAndValues(t *testing.T) {
	for _, tt := range []struct {
		name, value string

		item   string
		result doctor.Result
		code   source.Code
	}{
		{"lower-case", "", "names", doctor.Warning, source.CodeNameInvalid},
		{"1X", "", "names", doctor.Warning, source.CodeNameInvalid},
		{"a b", "", "names", doctor.Warning, source.CodeNameInvalid},
		{"UMLAUT_Ü", "", "names", doctor.Warning, source.CodeNameInvalid},
		{"A=B", "", "names", doctor.Failed, "env-name"},
		{"NODE_OPTIONS", "--require=7f3a9c", "refused-names", doctor.Failed, "name-refused"},
		{"PATH", "7f3a9c", "refused-names", doctor.Warning, "names-withheld"},
		{"LARGE", strings.Repeat("7f3a9c", 128<<10/6+1), "values", doctor.Failed, "env-too-large"},
		{"BINARY", "7f3a9c\x007f3a9c", "values", doctor.Failed, "env-value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := infisicaltest.New(t, infisicaltest.Options{})
			s := healthy(t, server)
			s.judge = byName
			if err := server.Set(source.Place{Environment: "dev", Path: "/"}, tt.name, tt.value); err != nil {
				t.Fatal(err)
			}
			report := s.run(t)
			wantItem(t, report, tt.item, tt.result, tt.code, tt.name)
			if report.Failed() != (tt.result == doctor.Failed) {
				t.Errorf("Failed() is %t:\n%s", report.Failed(), printed(t, report))
			}
			wantSilent(t, report)
		})
	}
}

func TestManyNames(t *testing.T) {
	server := infisicaltest.New(t, infisicaltest.Options{})
	s := healthy(t, server)
	for i := range 7 {
		if err := server.Set(source.Place{Environment: "dev", Path: "/"}, strings.Repeat("x", i+1), ""); err != nil {
			t.Fatal(err)
		}
	}
	wantItem(t, s.run(t), "names", doctor.Warning, source.CodeNameInvalid, `"x", "xx", "xxx", "xxxx", "xxxxx" and 2 more`)
}
