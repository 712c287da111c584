// Command demo shows the main job on an emulated server: secrets come over HTTP,
// a program starts with them, one is rotated over the API, and the program is
// started anew with the new value. Everything runs in processes of its own, as it
// would in earnest, and in a temporary directory that is removed at the end.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	infisync := flag.String("infisync", "./infisync", "the infisync binary")
	flag.Parse()
	if err := demo(*infisync); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func step(format string, args ...any) { fmt.Printf("\n--- "+format+"\n", args...) }

func demo(infisync string) error {
	dir, err := os.MkdirTemp("", "infisync-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	step("building the emulator and a small app")
	for _, name := range []string{"emulator", "demo/app"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, filepath.Base(name)), "./examples/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}

	step("starting an emulated Infisical server")
	emulator, env, err := startEmulator(filepath.Join(dir, "emulator"))
	if err != nil {
		return err
	}
	defer emulator.Process.Kill()
	fmt.Println("emulator: listening at", env["INFISICAL_URL"])

	step("infisync run -- app: it logs in, pulls, and starts the app")
	app, err := startApp(infisync, filepath.Join(dir, "app"), dir, env)
	if err != nil {
		return err
	}
	first, err := app.next("runs")
	if err != nil {
		return err
	}

	step("rotating DB_PASSWORD over the API")
	if err := rotate(env); err != nil {
		return err
	}
	fmt.Println("demo: the server has a new value; infisync sees it at its next poll")
	second, err := app.next("runs")
	if err != nil {
		return err
	}
	if parse(first).hash == parse(second).hash {
		return errors.New("the app was not started anew with another value")
	}

	step("stopping: infisync passes SIGTERM on and waits for the app")
	if err := app.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	for app.lines.Scan() {
		fmt.Println(app.lines.Text())
	}
	if err := app.cmd.Wait(); err != nil {
		return fmt.Errorf("infisync: %w", err)
	}
	fmt.Printf("\ndone: the app ran as %s and then as %s\n", parse(first), parse(second))
	return nil
}

// startEmulator starts the emulator and returns the variables it says to export.
func startEmulator(path string) (*exec.Cmd, map[string]string, error) {
	cmd := exec.Command(path, "--listen", "127.0.0.1:0", "--seed", "examples/emulator/seed.json")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	env := make(map[string]string)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		export, ok := strings.CutPrefix(lines.Text(), "export ")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(export, "=")
		env[name] = strings.Trim(value, `'"`)
		if name == "INFISICAL_ENVIRONMENT" { // the last one it prints
			return cmd, env, nil
		}
	}
	cmd.Process.Kill()
	return nil, nil, errors.New("the emulator ended before it printed its variables")
}

// An app is infisync with the app as its child, and what both print.
type app struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startApp(infisync, child, stateDir string, env map[string]string) (*app, error) {
	infisync, err := filepath.Abs(infisync)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(infisync, "run", "--interval", "1s", "--state-dir", filepath.Join(stateDir, "state"), "--log-level", "debug", "--", child)
	cmd.Env = os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &app{cmd, bufio.NewScanner(reader)}, nil
}

// next prints lines up to the app's next one that says so.
func (a *app) next(says string) (string, error) {
	for a.lines.Scan() {
		line := a.lines.Text()
		fmt.Println(line)
		if strings.HasPrefix(line, "app: ") && strings.Contains(line, says) {
			return line, nil
		}
	}
	return "", errors.New("infisync ended early")
}

// A run is what the app says of itself.
type run struct{ pid, hash string }

func (r run) String() string { return "pid " + r.pid + " with " + r.hash }

// parse reads "app: pid N runs, its DB_PASSWORD hashes to HASH".
func parse(line string) run {
	words := strings.Fields(line)
	return run{pid: words[2], hash: words[len(words)-1]}
}

// rotate logs in as the identity and gives DB_PASSWORD another value.
func rotate(env map[string]string) error {
	var token struct {
		AccessToken string `json:"accessToken"`
	}
	err := call(http.MethodPost, env["INFISICAL_URL"]+"/api/v1/auth/universal-auth/login", "", map[string]string{
		"clientId": env["INFISICAL_CLIENT_ID"], "clientSecret": env["INFISICAL_CLIENT_SECRET"],
	}, &token)
	if err != nil {
		return err
	}
	return call(http.MethodPatch, env["INFISICAL_URL"]+"/api/v4/secrets/DB_PASSWORD", token.AccessToken, map[string]string{
		"projectId": env["INFISICAL_PROJECT_ID"], "environment": env["INFISICAL_ENVIRONMENT"],
		"secretPath": "/", "secretValue": "rotated-by-the-demo",
	}, nil)
}

func call(method, url, token string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s answered %s", method, request.URL.Path, response.Status)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
