package infisicaltest

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"

	"infisync/source"
)

// A subscription reads frames as an event and its data.
type subscription struct {
	t     *testing.T
	lines *bufio.Scanner
}

func subscribe(t *testing.T, s *Server, register string) *subscription {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/api/v1/events/subscribe/project-events",
		strings.NewReader(`{"projectId":"`+DefaultProjectID+`","register":`+register+`}`))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+loggedIn(t, s).token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("subscribing: %d %v", resp.StatusCode, resp.Header)
	}
	return &subscription{t: t, lines: bufio.NewScanner(resp.Body)}
}

// next returns the next frame without its id, as "event data", and "" at the end.
func (s *subscription) next() string {
	s.t.Helper()
	var parts []string
	for s.lines.Scan() {
		line := s.lines.Text()
		if line == "" {
			return strings.Join(parts, " ")
		}
		if name, value, _ := strings.Cut(line, ":"); name != "id" {
			parts = append(parts, strings.TrimSpace(value))
		}
	}
	return ""
}

func TestEvents(t *testing.T) {
	for _, profile := range []Profile{Current, V42025} {
		t.Run(string(profile), func(t *testing.T) {
			s := New(t, Options{Profile: profile})
			must(t, s.MakeFolder(source.Place{Environment: "dev", Path: "/app"}))
			everything := subscribe(t, s, `[{"event":"secret:create"},{"event":"secret:update"},{"event":"secret:delete"},{"event":"secret:import-mutation"}]`)
			app := subscribe(t, s, `[{"event":"secret:create","conditions":{"environmentSlug":"dev","secretPath":"/app"}}]`)
			c := loggedIn(t, s)
			c.do("POST", "/api/v4/secrets/A", body("secretValue", "hidden"))
			c.do("PATCH", "/api/v4/secrets/A", body("secretValue", "hidden too"))
			c.do("DELETE", "/api/v4/secrets/A", body())
			must(t, s.Import(devRoot, Import{Environment: "prod"}))
			must(t, s.Set(source.Place{Environment: "dev", Path: "/app"}, "B", "hidden"))
			s.Ping()

			key := "secretKey"
			if profile == V42025 {
				key = "secretKeys"
			}
			frame := func(event, payload string) string {
				return event + ` {"data":{"eventType":"` + event + `","payload":` + payload + `},"projectType":"secret-manager"}`
			}
			atRoot := `[{"environment":"dev","` + key + `":"A","secretPath":"/"}]`
			inApp := frame("secret:create", `[{"environment":"dev","`+key+`":"B","secretPath":"/app"}]`)
			for _, want := range []string{
				frame("secret:create", atRoot), frame("secret:update", atRoot), frame("secret:delete", atRoot),
				frame("secret:import-mutation", `{"environment":"dev","secretPath":"/"}`), inApp, "ping ",
			} {
				if got := everything.next(); got != want {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
			if got := app.next(); got != inApp {
				t.Errorf("of /app got %s\nwant %s", got, inApp)
			}
			if n := s.CutStreams(); n != 2 {
				t.Errorf("cut %d streams, want 2", n)
			}
			if got := everything.next(); got != "" {
				t.Errorf("after the cut: %q", got)
			}
		})
	}
}

func TestEventsRefused(t *testing.T) {
	one := []any{object{"event": "secret:create"}}
	for _, tt := range []struct {
		name     string
		off      bool
		role     Role
		register []any
		want     int
	}{
		{"not in the plan", true, Admin, one, 400},
		{"no permission, which is checked first", true, Describe, one, 403},
		{"no event", false, Admin, []any{}, 422},
		{"unknown event", false, Admin, []any{object{"event": "x"}}, 422},
		{"conditions without an environment", false, Admin, []any{object{"event": "secret:create", "conditions": object{}}}, 422},
		{"eleven events", false, Admin, slices.Repeat(one, 11), 422},
	} {
		seed := DefaultSeed()
		seed.Identities[0].Role = tt.role
		s := New(t, Options{Seed: &seed})
		s.SetEvents(!tt.off)
		got := loggedIn(t, s).do("POST", "/api/v1/events/subscribe/project-events",
			object{"projectId": DefaultProjectID, "register": tt.register})
		if got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, got.status, got.text, tt.want)
		}
	}
}
