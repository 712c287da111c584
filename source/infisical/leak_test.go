package infisical_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

// What must not be seen is in every credential, value, header and answer. It has
// what is written differently in JSON, URLs and Go.
const canary = "canary \"quoted\"\\<&>\t+%41é"

// holdsCanary tells in which form the canary is in s.
func holdsCanary(s string) (form string) {
	inJSON, _ := json.Marshal(canary)
	for name, text := range map[string]string{
		"raw":    canary,
		"word":   "canary",
		"JSON":   strings.Trim(string(inJSON), `"`),
		"Go":     strings.Trim(fmt.Sprintf("%q", canary), `"`),
		"URL":    url.QueryEscape(canary),
		"path":   url.PathEscape(canary),
		"hex":    hex.EncodeToString([]byte(canary)),
		"base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(canary)), "="),
	} {
		if strings.Contains(s, text) {
			return name
		}
	}
	return ""
}

// Whatever the server does, no error and no log at debug level holds a secret.
func TestNothingLeaks(t *testing.T) {
	envelope := func(status int, name, message string) http.HandlerFunc { return refuse(status, name, message) }
	listed := fmt.Sprintf(`{"secrets":[{"secretKey":"A","secretValue":%q}`, canary)
	handlers := map[string]http.HandlerFunc{
		"right":        answer(200, listed+`]}`),
		"cut":          answer(200, listed),
		"bad JSON":     answer(200, listed+canary),
		"bad type":     answer(200, fmt.Sprintf(`{"secrets":[{"secretKey":%q,"secretValue":["%s"]}]}`, "A", "canary")),
		"bad time":     answer(200, fmt.Sprintf(`{"secrets":[{"secretKey":"A","secretValue":%q,"version":"canary"}]}`, canary)),
		"masked":       answer(200, fmt.Sprintf(`{"secrets":[{"secretKey":"A","secretValue":%q,"secretValueHidden":true}]}`, canary)),
		"page":         html(200),
		"page 403":     html(403),
		"400":          envelope(400, canary, "no "+canary+", no"),
		"401":          envelope(401, "UnauthorizedError", canary),
		"403":          envelope(403, "TokenError", canary),
		"404":          envelope(404, "Not Found", canary),
		"429":          envelope(429, "RateLimitError", canary+"try again in 0 seconds"),
		"500":          envelope(500, "InternalServerError", canary),
		"reset":        reset,
		"garbage":      garbage,
		"no route":     noRoute,
		"redirect":     redirectTo("https://canary:canary@example.invalid/?canary#canary"),
		"bad redirect": redirectTo("https://exa mple/canary"),
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			s := newServer(t, map[string]http.HandlerFunc{loginRoute: answer(200, loginBody("canary-token"))})
			client := newClient(t, s.URL, func(c *infisical.Config) {
				c.Log = log.logger(slog.LevelDebug)
				c.Headers = map[string]string{"X-Extra": canary}
				c.Login = infisical.UniversalAuth{ClientID: "id", Secret: secretOf(canary)}
			})
			session := login(t, client)
			s.mu.Lock()
			for _, route := range []string{listRoute, loginRoute, oldList, "GET /api/v4/secrets/A", "POST /api/v4/secrets/A",
				"PATCH /api/v4/secrets/batch", "GET /api/v1/projects", "POST /api/v1/folders", "GET /api/status"} {
				s.routes[route] = handler
			}
			s.mu.Unlock()
			item := infisical.Item{Name: "A", Value: source.NewValue(canary)}
			_, listErr := session.List(t.Context(), infisical.Query{Place: place})
			_, getErr := session.Get(t.Context(), place, "A", true)
			_, createErr := session.Create(t.Context(), place, item)
			_, updateErr := session.UpdateAll(t.Context(), place, []infisical.Item{item}, infisical.Upsert)
			_, projectsErr := session.Projects(t.Context())
			folderErr := session.CreateFolder(t.Context(), source.Place{Project: "p1", Environment: "dev", Path: "/a"})
			_, statusErr := client.Status(t.Context())
			_, loginErr := client.Login(t.Context())
			seen := []any{listErr, getErr, createErr, updateErr, projectsErr, folderErr, statusErr, loginErr, client, session, item}
			for _, v := range seen {
				for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
					if form := holdsCanary(fmt.Sprintf(format, v)); form != "" {
						t.Errorf("%s of %T shows the canary (%s): "+format, format, v, form, v)
					}
				}
			}
			if form := holdsCanary(log.String()); form != "" {
				t.Errorf("the log shows the canary (%s):\n%s", form, log.String())
			}
			if !strings.Contains(log.String(), "level=DEBUG") {
				t.Error("nothing was logged")
			}
		})
	}
}

// garbage is not HTTP; net/http's error quotes it.
func garbage(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(conn, "%s\r\n\r\n", canary)
	conn.Close()
}

func redirectTo(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}
