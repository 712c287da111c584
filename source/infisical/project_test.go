package infisical_test

import (
	"fmt"
	"net/http"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

func TestProjects(t *testing.T) {
	const p = `{"id":"p1","name":"One","slug":"one","environments":[{"id":"e","slug":"dev","name":"Development"}]}`
	want := infisical.Project{ID: "p1", Name: "One", Slug: "one", Environments: []infisical.Environment{{Slug: "dev", Name: "Development"}}}
	for body, ok := range map[string]bool{
		`{"projects":[` + p + `]}`:                         true,
		`{"workspaces":[` + p + `]}`:                       true,
		`{"projects":[{"id":"x","type":"ssh"},` + p + `]}`: true,
		`{"projects":[{"id":"p1","type":"secret-manager","name":"One","slug":"one","environments":null}]}`: true,
		`{"projects":[{"name":"One"}]}`: false,
		`{"projects":null}`:             false,
		`{"projects":{}}`:               false,
		`{"project":` + p + `}`:         false,
		`{"projects":[`:                 false,
		`[]`:                            false,
	} {
		s := newServer(t, map[string]http.HandlerFunc{"GET /api/v1/projects": answer(200, body)})
		got, err := login(t, newClient(t, s.URL)).Projects(t.Context())
		if (err == nil) != ok || ok && (len(got) != 1 || got[0].ID != want.ID || got[0].Slug != want.Slug) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
		if !ok {
			wantCode(t, err, source.CodeNotTheAPI)
		}
	}
	for body, ok := range map[string]bool{
		`{"project":` + p + `}`:   true,
		`{"workspace":` + p + `}`: true,
		`{"project":null}`:        false,
		`{"project":{}}`:          false,
		p:                         false,
		`{"project":1}`:           false,
	} {
		s := newServer(t, map[string]http.HandlerFunc{"GET /api/v1/projects/p1": answer(200, body)})
		got, err := login(t, newClient(t, s.URL)).Project(t.Context(), "p1")
		if (err == nil) != ok || ok && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestProjectRefused(t *testing.T) {
	for want, handler := range map[source.Code]http.HandlerFunc{
		source.CodeProjectNotFound: refuse(404, "NotFound", "not found"),
		source.CodeAccessDenied:    refuse(403, "ForbiddenError", "You are not a member of this project"),
		source.CodeServerError:     refuse(500, "Failed to find project by id", "Something went wrong"),
	} {
		s := newServer(t, map[string]http.HandlerFunc{"GET /api/v1/projects/p 1/2": handler})
		_, err := login(t, newClient(t, s.URL)).Project(t.Context(), "p 1/2")
		wantCode(t, err, want)
		wantText(t, err, `reading project "p 1/2": server answered`)
	}
	s := newServer(t, nil)
	_, err := login(t, newClient(t, s.URL)).Projects(t.Context())
	wantCode(t, err, source.CodeNotTheAPI)
}

func TestStatus(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"message":"Ok"}`: true, `{"date":"2026-01-01T00:00:00.000Z"}`: true,
		`{"hello":1}`: false, `{"date":"soon"}`: false, `[]`: false, `"Ok"`: false,
	} {
		s := newServer(t, map[string]http.HandlerFunc{"GET /api/status": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Error("a credential was sent")
			}
			answer(200, body)(w, r)
		}})
		client := newClient(t, s.URL)
		_, err := client.Status(t.Context())
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
		if s.count(loginRoute) != 0 || client.URL() != s.URL+"/api" || fmt.Sprint(client) != client.URL() {
			t.Errorf("requests %v; URL %q", s.requests, client.URL())
		}
	}
}

// A 200 that is another secret, or none, is not believed.
func TestGetAnswers(t *testing.T) {
	for body, want := range map[string]source.Code{
		`{"secret":{"secretKey":"A","secretValue":"1","version":2}}`: "",
		`{"secret":{"secretKey":"B","secretValue":"1"}}`:             source.CodeNotTheAPI,
		`{"secret":{"secretKey":"A"}}`:                               source.CodeNotTheAPI,
		`{"secret":null}`:                                            source.CodeNotTheAPI,
		`{"secrets":[]}`:                                             source.CodeNotTheAPI,
		`{"secret":`:                                                 source.CodeNotTheAPI,
		`{"secret":{"secretKey":"A","secretValue":"x","secretValueHidden":true}}`: source.CodeValueMasked,
	} {
		s := newServer(t, map[string]http.HandlerFunc{"GET /api/v4/secrets/A": answer(200, body)})
		got, err := login(t, newClient(t, s.URL)).Get(t.Context(), place, "A", false)
		wantCode(t, err, want)
		if want == "" && (got.Value.Reveal() != "1" || got.Version != 2 || got.Place != place) {
			t.Errorf("got %+v", got)
		}
		if want != "" && got.Name != "" {
			t.Errorf("a secret came with the error: %+v", got)
		}
	}
}
