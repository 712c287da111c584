package infisicaltest

import (
	"strings"
	"testing"
	"time"
)

func TestControl(t *testing.T) {
	s := New(t, Options{Control: true})
	c := loggedIn(t, s)
	tell := func(command, body string) reply {
		t.Helper()
		got := c.do("POST", "/__emulator/"+command, body)
		if got.status != 200 {
			t.Fatalf("%s %s: %d %s", command, body, got.status, got.text)
		}
		return got
	}
	list := func() reply { t.Helper(); return c.do("GET", "/api/v4/secrets"+v4(""), nil) }

	tell("set", `{"environment":"dev","name":"A","value":"1"}`)
	tell("set", `{"environment":"dev","secrets":{"B":"2","C":"3"}}`)
	tell("delete", `{"environment":"dev","name":"C"}`)
	if got := list().values(); len(got) != 2 || got["A"] != "1" || got["B"] != "2" {
		t.Errorf("after set and delete: %v", got)
	}

	fault := tell("fault", `{"do":"status","status":503,"kind":"list","pace":"5ms"}`)
	if got := list(); got.status != 503 {
		t.Errorf("with a fault: %d", got.status)
	}
	if got := tell("counts", ""); got.json["list"] != 2.0 {
		t.Errorf("counts: %s", got.text)
	}
	tell("lift", `{"id":`+strings.TrimSuffix(strings.TrimPrefix(fault.text, `{"id":`), "}")+`}`)
	if got := list(); got.status != 200 {
		t.Errorf("after the lift: %d", got.status)
	}
	tell("fault", `{"do":"reset"}`)
	tell("lift", "")

	waited := make(chan string, 1)
	go func() {
		got, _ := c.send("POST", "/__emulator/wait", `{"kind":"list","n":4}`)
		waited <- got.text
	}()
	list()
	if got := <-waited; !strings.Contains(got, `"list":4`) {
		t.Errorf("wait: %s", got)
	}
	tell("reset-counts", "")
	if got := s.Counts(); len(got) != 0 {
		t.Errorf("after reset-counts: %v", got)
	}

	tell("limits", `{"limits":{"secret":1}}`)
	list()
	if got := list(); got.status != 429 {
		t.Errorf("beyond the limit: %d", got.status)
	}
	tell("advance", `{"by":"1m"}`)
	if got := list(); got.status != 200 {
		t.Errorf("a minute later: %d", got.status)
	}
	tell("limits", "{}")
	tell("forget-etags", "")

	tell("approval", `{"environment":"dev","required":true}`)
	if got := c.do("POST", "/api/v4/secrets/D", body("secretValue", "4")); got.json["approval"] == nil {
		t.Errorf("with approvals: %s", got.text)
	}
	tell("lock", "")
	if got := c.do("POST", loginPath, credentials(s)); got.status != 401 {
		t.Errorf("locked: %d", got.status)
	}
	tell("unlock", "")
	tell("rotate", `{"clientSecret":"new"}`)
	if _, secret := s.Credentials(); secret != "new" {
		t.Errorf("rotated to %q", secret)
	}
	tell("revoke", "")
	if got := list(); got.status != 401 {
		t.Errorf("with a revoked token: %d", got.status)
	}
}

func TestControlRefuses(t *testing.T) {
	c := &client{t: t, s: New(t, Options{Control: true})}
	for _, tt := range []struct{ command, body, want string }{
		{"nope", "", `no command "nope"`},
		{"set", `{"environment":"nope"}`, `no environment "nope"`},
		{"set", `{"project":"nope"}`, `no project "nope"`},
		{"set", `{"nmae":"A"}`, `unknown field "nmae"`},
		{"fault", `{"do":"x"}`, `no action "x"`},
		{"fault", `{"do":"reset","kind":"x"}`, `no kind "x"`},
		{"fault", `{"do":"reset","pace":"x"}`, `pace "x" is not a duration`},
		{"lift", `{"id":9}`, "no fault 9"},
		{"wait", `{"kind":"x"}`, `no kind "x"`},
		{"advance", `{"by":"x"}`, `by "x" is not a duration`},
		{"revoke", `{"clientId":"x"}`, `no identity "x"`},
	} {
		got := c.do("POST", "/__emulator/"+tt.command, tt.body)
		if text, _ := got.json["error"].(string); got.status != 400 || !strings.Contains(text, tt.want) {
			t.Errorf("%s %s: %d %s, want 400 with %q", tt.command, tt.body, got.status, got.text, tt.want)
		}
	}
	off := &client{t: t, s: New(t, Options{})}
	if got := off.do("POST", "/__emulator/set", `{"environment":"dev"}`); got.status != 404 {
		t.Errorf("without Control: %d, want 404", got.status)
	}
}

func TestClock(t *testing.T) {
	s := New(t, Options{})
	s.Advance(48 * time.Hour)
	date, err := time.Parse(time.RFC1123, (&client{t: t, s: s}).do("GET", "/api/status", nil).header.Get("Date"))
	must(t, err)
	if ahead := time.Until(date); ahead < 47*time.Hour {
		t.Errorf("the Date header is %s ahead, want two days", ahead)
	}
}
