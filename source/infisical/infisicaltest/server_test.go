package infisicaltest

import (
	"net/http"
	"testing"
)

// The life of a value, as a client of each profile sees it.
func TestReadAndWriteInEachProfile(t *testing.T) {
	for _, profile := range Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			s := New(t, Options{Profile: profile})
			c := &client{t: t, s: s}
			id, secret := s.Credentials()
			login := c.do("POST", "/api/v1/auth/universal-auth/login", map[string]any{"clientId": id, "clientSecret": secret})
			if login.status != http.StatusOK {
				t.Fatalf("login: %d %s", login.status, login.text)
			}
			c.token = login.json["accessToken"].(string)

			base, project := "/api/v4/secrets", "projectId"
			if profile == Legacy {
				base, project = "/api/v3/secrets/raw", "workspaceId"
			}
			in := map[string]any{project: DefaultProjectID, "environment": "dev", "secretPath": "/"}
			with := func(name, value string) map[string]any {
				out := map[string]any{name: value}
				for k, v := range in {
					out[k] = v
				}
				return out
			}
			want := http.StatusOK
			if profile == Documented {
				want = http.StatusCreated
			}
			if got := c.do("POST", base+"/A", with("secretValue", " 1 ")); got.status != want {
				t.Errorf("create: %d %s", got.status, got.text)
			}
			query := "?" + project + "=" + DefaultProjectID + "&environment=dev&secretPath=/"
			if got := c.do("GET", base+query, nil); got.values()["A"] != "1" {
				t.Errorf("list after create: %d %s", got.status, got.text)
			}
			if got := c.do("PATCH", base+"/A", with("secretValue", "2")); got.status != http.StatusOK {
				t.Errorf("update: %d %s", got.status, got.text)
			}
			if got, _ := s.Get(devRoot, "A"); got.Value != "2" || got.Version != 2 {
				t.Errorf("after update the server holds %+v", got)
			}
			if got := c.do("GET", base+"/A"+query, nil); got.status != http.StatusOK || got.json["secret"].(map[string]any)["secretValue"] != "2" {
				t.Errorf("get: %d %s", got.status, got.text)
			}
			if got := c.do("DELETE", base+"/A", in); got.status != http.StatusOK {
				t.Errorf("delete: %d %s", got.status, got.text)
			}
			if got := c.do("GET", base+"/A"+query, nil); got.status != http.StatusNotFound {
				t.Errorf("get after delete: %d %s", got.status, got.text)
			}
		})
	}
}
