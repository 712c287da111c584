package syncer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
)

func TestWritePushReport(t *testing.T) {
	report := syncer.PushReport{Place: source.Place{Project: "p", Environment: "dev", Path: "/a"}, MadeFolder: true, Secrets: []syncer.Result{
		{Name: "A", Outcome: syncer.OutcomeCreated, Version: 1, Trimmed: true},
		{Name: "B", Given: "b", Outcome: syncer.OutcomeUpdated, Version: 4},
		{Name: "C", Outcome: syncer.OutcomeUnchanged, Version: 2},
		{Name: "D", Outcome: syncer.OutcomeAwaiting},
		{Name: "E\x1b[2J", Outcome: syncer.OutcomeRefused, Code: source.CodeAccessDenied, Reason: "server answered 403"},
		{Name: "F", Outcome: syncer.OutcomeUnknown, Reason: "lost"},
		{Name: "", Outcome: syncer.OutcomeNotTried, Reason: "lost"},
	}}
	want := `created A (version 1; the server keeps it without the white space around it)
updated B (given as b; version 4)
unchanged C
awaiting approval D
refused "E\x1b[2J": server answered 403
unknown F: lost
not tried "": lost
made the folder and pushed to "p:dev:/a": 1 created, 1 updated, 1 unchanged, 1 awaiting approval, 1 refused, 1 unknown, 1 not tried
`
	var out bytes.Buffer
	if err := report.Write(&out, "text"); err != nil || out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s\n%v", out.String(), want, err)
	}
	report.DryRun, report.Secrets = true, report.Secrets[:3]
	out.Reset()
	want = `would create A (version 1; the server keeps it without the white space around it)
would update B (given as b; version 4)
unchanged C
would make the folder and push to "p:dev:/a": 1 created, 1 updated, 1 unchanged
`
	if err := report.Write(&out, "text"); err != nil || out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s\n%v", out.String(), want, err)
	}
	for _, tt := range []struct {
		report syncer.PushReport
		want   string
	}{
		{syncer.PushReport{}, `pushed to ":": nothing` + "\n"},
		{syncer.PushReport{DryRun: true}, `would push to ":": nothing` + "\n"},
	} {
		out.Reset()
		if err := tt.report.Write(&out, "text"); err != nil || out.String() != tt.want {
			t.Errorf("wrote %q, %v", out.String(), err)
		}
	}
}

func TestWriteReportJSON(t *testing.T) {
	report := syncer.PushReport{Place: devRoot, DryRun: true, Secrets: []syncer.Result{
		{Name: "A", Outcome: syncer.OutcomeCreated},
		{Name: "<B>", Given: "<b>", Outcome: syncer.OutcomeRefused, Code: source.CodeRequestRefused, Reason: "no"},
	}}
	var out bytes.Buffer
	if err := report.Write(&out, "json"); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	want := `{"place":{"project":"` + devRoot.Project + `","environment":"dev","path":"/"},"dry_run":true,"made_folder":false,` +
		`"secrets":[{"name":"A","outcome":"created"},{"name":"<B>","given":"<b>","outcome":"refused","code":"request-refused","reason":"no"}],` +
		`"summary":{"created":1,"refused":1}}`
	if compact.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", compact.String(), want)
	}
	out.Reset()
	empty := syncer.DeleteReport{Place: devRoot, NotKept: "no key"}
	if err := empty.Write(&out, "json"); err != nil || !strings.Contains(out.String(), `"secrets": []`) || !strings.Contains(out.String(), `"not_kept": "no key"`) {
		t.Errorf("wrote %s, %v", out.String(), err)
	}
	out.Reset()
	if err := empty.Write(&out, "text"); err != nil || !strings.HasSuffix(out.String(), "\nthe vault does not have the deleted values: no key\n") {
		t.Errorf("wrote %s, %v", out.String(), err)
	}
	for _, err := range []error{report.Write(&out, "yaml"), empty.Write(&out, ""), syncer.WriteProjects(&out, "table", nil)} {
		if source.CodeOf(err) != source.CodeUsage || !strings.HasPrefix(err.Error(), "there is no format ") {
			t.Errorf("%v", err)
		}
	}
	for _, format := range []string{"text", "json"} {
		if err := report.Write(brokenWriter{}, format); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestShowProgress(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 404, Message: "Folder with path '/' not found", Kind: infisicaltest.KindBatch, Skip: 2})
	var out bytes.Buffer
	show := syncer.ShowProgress(&out, "pushing")
	w.mustPush(t, syncer.PushOptions{Secrets: numbered(5, "v"), Progress: show})
	if out.Len() > 0 {
		t.Errorf("for a few secrets it shows %q", out.String())
	}
	_, err := w.push(t, syncer.PushOptions{Secrets: numbered(400, canary), Progress: show})
	// The line is gone also when the push ends early.
	const clear = "\r\x1b[K"
	if want := clear + "infisync: pushing 100 of 400" + clear + "infisync: pushing 200 of 400" + clear; err == nil || out.String() != want {
		t.Errorf("shown %q, want %q; %v", out.String(), want, err)
	}
}

var errBroken = errors.New("broken pipe")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestProjects(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile, func(seed *infisicaltest.Seed) {
			seed.Projects = append(seed.Projects, infisicaltest.Project{ID: "id-2", Name: "another\x1b", Environments: []infisicaltest.Environment{{Slug: "prod"}}})
		})
		projects, err := syncer.New(w.options).Projects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		demo := devRoot.Project + "  demo           dev, staging, prod\n"
		want := "ID                                    NAME           ENVIRONMENTS\n" +
			"id-2                                  \"another\\x1b\"  prod\n" + demo
		if profile == infisicaltest.Legacy { // it tells identities of the project they name only
			want = "ID                                    NAME  ENVIRONMENTS\n" + devRoot.Project + "  demo  dev, staging, prod\n"
		}
		var out bytes.Buffer
		if err := syncer.WriteProjects(&out, "text", projects); err != nil || out.String() != want {
			t.Errorf("wrote\n%s\nwant\n%s\n%v", out.String(), want, err)
		}
		out.Reset()
		var back []infisical.Project
		if err := syncer.WriteProjects(&out, "json", projects); err != nil || json.Unmarshal(out.Bytes(), &back) != nil || len(back) != len(projects) {
			t.Errorf("wrote %s, %v", out.String(), err)
		}
		w.options.Known.Places = nil
		_, err = syncer.New(w.options).Projects(t.Context())
		if profile != infisicaltest.Legacy && err != nil || profile == infisicaltest.Legacy && source.CodeOf(err) != source.CodeProjectNotFound {
			t.Errorf("none named: %v", err)
		}
		w.options.Known.Places = []source.Place{{Project: "00000000-0000-4000-8000-000000000000", Environment: "dev"}}
		if _, err = syncer.New(w.options).Projects(t.Context()); (err == nil) != (profile != infisicaltest.Legacy) {
			t.Errorf("unknown project named: %v", err)
		}
		lift := w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 401, Kind: infisicaltest.KindLogin})
		if _, err = syncer.New(w.options).Projects(t.Context()); source.CodeOf(err) != source.CodeLoginRefused {
			t.Errorf("login refused: %v", err)
		}
		lift()
		w.options.Client = nil
		if _, err = syncer.New(w.options).Projects(t.Context()); source.CodeOf(err) != source.CodeNothingConfigured {
			t.Errorf("no server: %v", err)
		}
	})
	var out bytes.Buffer
	if err := syncer.WriteProjects(&out, "json", nil); err != nil || out.String() != "[]\n" {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}
