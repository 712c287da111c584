package infisicaltest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRateLimits(t *testing.T) {
	for _, profile := range []Profile{Current, Legacy} {
		t.Run(string(profile), func(t *testing.T) {
			s := New(t, Options{Profile: profile, Limits: Limits{Secret: 2}})
			c := loggedIn(t, s)
			base, project := "/api/v4/secrets", "projectId="
			if profile == Legacy {
				base, project = "/api/v3/secrets/raw", "workspaceId="
			}
			list := base + "?environment=dev&" + project + DefaultProjectID
			for i, remaining := range []string{"1", "0"} {
				got := c.do("GET", list, nil)
				if got.status != 200 || got.header.Get("X-Ratelimit-Limit") != "2" || got.header.Get("X-Ratelimit-Remaining") != remaining {
					t.Errorf("request %d: %d %v", i+1, got.status, got.header)
				}
			}
			got := c.do("GET", list, nil)
			want, message := http.StatusTooManyRequests, "Rate limit exceeded. Please try again in"
			if profile == Legacy {
				want, message = http.StatusInternalServerError, "Something went wrong"
			}
			if got.status != want || !strings.HasPrefix(got.message(), message) || got.header.Get("Retry-After") == "" {
				t.Errorf("request 3: %d %q, Retry-After %q", got.status, got.message(), got.header.Get("Retry-After"))
			}
			// Another route, another address, a bad token and the next minute.
			if got := c.do("GET", base+"/A?environment=dev&"+project+DefaultProjectID, nil); got.status != 404 {
				t.Errorf("another route: %d, want 404", got.status)
			}
			c.extra = http.Header{"X-Forwarded-For": {"10.0.0.1, 10.0.0.2"}}
			if got := c.do("GET", list, nil); got.status != 200 {
				t.Errorf("from another address: %d, want 200", got.status)
			}
			c.extra = nil
			if got := (&client{t: t, s: s, token: "bad"}).do("GET", list, nil); got.status != 403 {
				t.Errorf("with a bad token: %d, want 403", got.status)
			}
			s.Advance(time.Minute)
			if got := c.do("GET", list, nil); got.status != 200 {
				t.Errorf("a minute later: %d, want 200", got.status)
			}
			s.SetLimits(Limits{})
			if got := c.do("GET", list, nil); got.status != 200 || got.header.Get("X-Ratelimit-Limit") != "" {
				t.Errorf("without limits: %d %v", got.status, got.header)
			}
		})
	}
}
