package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// start runs the example with more arguments and returns the variables that it
// prints. It ends with the test.
func start(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"--listen", "127.0.0.1:0", "--seed", "seed.json"}, args...), in, io.Discard)
		in.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the example ended with: %v", err)
		}
	})
	variables := make(map[string]string)
	for _, name := range []string{"URL", "CLIENT_ID", "CLIENT_SECRET", "PROJECT_ID", "ENVIRONMENT"} {
		line := readLine(t, out)
		value, ok := strings.CutPrefix(line, "export INFISICAL_"+name+"=")
		if !ok {
			t.Fatalf("line %q does not export INFISICAL_%s", line, name)
		}
		variables[name] = strings.Trim(value, "'")
	}
	return variables
}

func readLine(t *testing.T, from io.Reader) string {
	t.Helper()
	var line []byte
	for one := make([]byte, 1); ; line = append(line, one[0]) {
		if _, err := from.Read(one); err != nil {
			t.Fatalf("after %q: %v", line, err)
		}
		if one[0] == '\n' {
			return string(line)
		}
	}
}

func call(t *testing.T, method, url, token, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v", method, url, resp.StatusCode, err)
	}
	return answer
}

// The values of the seed are hard to carry; every one is served as it is written
// in the file, but for the references.
func TestServesTheSeed(t *testing.T) {
	v := start(t)
	login := call(t, "POST", v["URL"]+"/api/v1/auth/universal-auth/login", "",
		`{"clientId":"`+v["CLIENT_ID"]+`","clientSecret":"`+v["CLIENT_SECRET"]+`"}`)
	if len(v["CLIENT_SECRET"]) < 32 {
		t.Errorf("a client secret of %d characters gives no vault key, want at least 32", len(v["CLIENT_SECRET"]))
	}
	list := call(t, "GET", v["URL"]+"/api/v4/secrets?projectId="+v["PROJECT_ID"]+"&environment="+v["ENVIRONMENT"],
		login["accessToken"].(string), "")
	got := make(map[string]string)
	for _, entry := range list["secrets"].([]any) {
		secret := entry.(map[string]any)
		got[secret["secretKey"].(string)] = secret["secretValue"].(string)
	}
	seed, err := readSeed("seed.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range seed.Folders[0].Secrets {
		want := secret.Value
		if secret.Name == "DATABASE_URL" {
			want = "postgres://app:correct-horse-battery-staple@db.example.test:5432/app"
		}
		if got[secret.Name] != want {
			t.Errorf("%s = %q, want %q", secret.Name, got[secret.Name], want)
		}
	}
	if len(got) != len(seed.Folders[0].Secrets) {
		t.Errorf("%d secrets are served, want %d", len(got), len(seed.Folders[0].Secrets))
	}
}

func TestControlIsOffUnlessAsked(t *testing.T) {
	const set = `{"environment":"dev","name":"GREETING","value":"changed"}`
	call(t, "POST", start(t, "--control")["URL"]+"/__emulator/set", "", set)

	resp, err := http.Post(start(t)["URL"]+"/__emulator/set", "application/json", strings.NewReader(set))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("without --control a command is answered %d, want 404", resp.StatusCode)
	}
}

func TestWrongArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--profile", "x"}, `profile "x" is none of`},
		{[]string{"--nope"}, "not defined: -nope"},
		{[]string{"serve"}, `unexpected argument "serve"`},
		{[]string{"--seed", "missing.json"}, "missing.json"},
		{[]string{"--seed", "main.go"}, `"main.go": reading seed`},
		{[]string{"--listen", "127.0.0.1:x"}, "listen tcp"},
	} {
		err := run(t.Context(), tt.args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("run(%q) = %v, want an error with %q", tt.args, err, tt.want)
		}
	}
	if err := run(t.Context(), []string{"--help"}, io.Discard, io.Discard); err != nil {
		t.Errorf("--help: %v", err)
	}
}
