package export_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"infisync/source/export"
)

// The tests in this file give what was written to the programs that it is for.

// unavailable skips a test for which something is missing, and fails it where
// nothing may be.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// tool returns the path of a program that the test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unavailable(t, "%s is not installed", name)
	}
	return path
}

// run runs a command with nothing in its environment but what is given, and
// returns its standard output. Values that ask for it to be made would make a
// file named canary, which is an error.
func run(t *testing.T, env []string, stdin string, argv ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	command.Env = append([]string{}, env...) // never nil, which would inherit
	command.Stdin = strings.NewReader(stdin)
	command.Dir = t.TempDir()
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%.2000s", argv[0], err, &errs)
	}
	if _, err := os.Stat(filepath.Join(command.Dir, "canary")); err == nil {
		t.Errorf("%q ran what a value says", argv)
	}
	return string(out)
}

// inherited is the whole environment, which podman and go need.
func inherited() []string { return append(os.Environ(), "CGO_ENABLED=0") }

// buildEnviron builds the program that prints its environment, static, so that
// it runs in an image without anything else.
var buildEnviron = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "environ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "environ")
	command := exec.Command("go", "build", "-trimpath", "-o", path, "./testdata/environ")
	command.Env = inherited()
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func environ(t *testing.T) string {
	t.Helper()
	path, err := buildEnviron()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := buildEnviron(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// parseEnviron reads what environ printed, less what the consumer adds itself.
func parseEnviron(text string, added ...string) map[string]string {
	values := make(map[string]string)
	for entry := range strings.SplitSeq(strings.TrimSuffix(text, "\x00"), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	for _, name := range added {
		delete(values, name)
	}
	return values
}

func tempFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exported")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShellsSource(t *testing.T) {
	for _, argv := range [][]string{{"sh"}, {"bash"}, {"bash", "--posix"}, {"dash"}, {"busybox", "sh"}} {
		t.Run(strings.Join(argv, " "), func(t *testing.T) {
			path, err := exec.LookPath(argv[0])
			if err != nil && argv[0] != "sh" && argv[0] != "bash" {
				t.Skipf("%s is not installed", argv[0])
			}
			if err != nil {
				unavailable(t, "%s is not installed", argv[0])
			}
			want := carried(t, "shell")
			file := tempFile(t, write(t, "shell", set(want)))
			for _, locale := range []string{"C", "C.UTF-8"} {
				command := append(append([]string{path}, argv[1:]...), "-c", `. "$1" && exec "$2"`, "sh", file, environ(t))
				out := run(t, []string{"LC_ALL=" + locale}, "", command...)
				same(t, want, parseEnviron(out, "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_", "PATH"))
			}
		})
	}
}

// The names that a shell has a use for itself either keep their values, or are
// refused. None runs what the value says: not as it is sourced, nor later.
func TestShellsOwnNames(t *testing.T) {
	const value = `x[$(touch canary)]`
	bash := tool(t, "bash")
	listed := run(t, nil, "", bash, "-c", "compgen -v")
	names := strings.Fields(listed + " ENV MAILPATH OPTIND RANDOM SRANDOM SECONDS LINENO HISTCMD FUNCNAME EPOCHREALTIME BASH_ENV BASH_XTRACEFD BASH_COMPAT" +
		" PS0 PS1 PS2 PS3 PS4 PROMPT_COMMAND HISTFILE TMOUT IFS PATH POSIXLY_CORRECT TZ LANG LC_CTYPE histchars auto_resume GLOBIGNORE _")
	for _, shell := range []string{"sh", "bash"} {
		path := tool(t, shell)
		for _, name := range names {
			var out strings.Builder
			if err := export.Write(&out, "shell", setOf(name, value), options); err != nil {
				continue
			}
			file := tempFile(t, out.String())
			read := run(t, []string{"HOME=/nonexistent"}, ". '"+file+"'\nprintf %s \"$"+name+"\"\nset -x\n:\n", path, "-s")
			if read != value {
				t.Errorf("%s: %s=%q is read as %q", shell, name, value, read)
			}
			run(t, []string{"HOME=/nonexistent"}, ". '"+file+"'\n"+path+" -c :\nset -x\n:\n", path, "-i")
		}
	}
}

func TestJQReads(t *testing.T) {
	jq := tool(t, "jq")
	want := carried(t, "json")
	const filter = `to_entries[] | "\(.key | @base64) \(.value | @base64)"`
	out := run(t, nil, write(t, "json", set(want)), jq, "-r", filter)
	got := make(map[string]string)
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		got[decode(t, name)] = decode(t, value)
	}
	same(t, want, got)
}

func decode(t *testing.T, encoded string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPodmanReads(t *testing.T) {
	podman := tool(t, "podman")
	tool(t, "runc")
	if runtime.GOOS != "linux" {
		t.Skip("podman runs in a virtual machine here, which cannot run what is built for this system")
	}
	dir := t.TempDir()
	if err := os.Link(environ(t), filepath.Join(dir, "environ")); err != nil {
		t.Fatal(err)
	}
	const containerfile = "FROM scratch\nCOPY environ /environ\nENTRYPOINT [\"/environ\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "Containerfile"), []byte(containerfile), 0o600); err != nil {
		t.Fatal(err)
	}
	image := "localhost/infisync-export-test:" + strconv.Itoa(os.Getpid())
	build := exec.CommandContext(t.Context(), podman, "--runtime", "runc", "build", "-q", "-t", image, dir)
	if out, err := build.CombinedOutput(); err != nil {
		unavailable(t, "podman cannot build an image here: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(podman, "rmi", "-f", image).CombinedOutput(); err != nil {
			t.Errorf("removing the image: %v\n%s", err, out)
		}
	})

	want := carried(t, "docker")
	file := tempFile(t, write(t, "docker", set(want)))
	out := run(t, inherited(), "", podman, "--runtime", "runc", "run", "--rm", "--network", "host",
		"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--env-file", file, image)
	same(t, want, parseEnviron(out, "PATH", "TERM", "HOME", "HOSTNAME", "container"))
}

// environmentGenerator is a program of systemd that prints what the files of
// environment.d say. It reads them with the parser of EnvironmentFile=, and then
// expands variables, which that does not.
const environmentGenerator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"

func TestSystemdReads(t *testing.T) {
	if _, err := os.Stat(environmentGenerator); err != nil {
		unavailable(t, "systemd is not installed: %v", err)
	}
	want := carried(t, "systemd")
	for name, value := range want {
		// In environment.d an empty value means something else.
		if strings.Contains(value, "$") || value == "" {
			delete(want, name)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "environment.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "environment.d", "exported.conf")
	if err := os.WriteFile(path, []byte(write(t, "systemd", set(want))), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, []string{"XDG_CONFIG_HOME=" + dir, "HOME=/nonexistent"}, "", environmentGenerator)
	got := make(map[string]string)
	for line := range strings.Lines(out) {
		name, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, ok := want[name]; ok { // the machine's own files are printed too
			got[name] = unquoteSystemd(t, quoted)
		}
	}
	same(t, want, got)
}

// unquoteSystemd undoes the quoting in which systemd's programs print values:
// bare, or in double quotes with C's escapes.
func unquoteSystemd(t *testing.T, s string) string {
	t.Helper()
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	s = strings.TrimSuffix(s[1:], `"`)
	var value strings.Builder
	for s != "" {
		if after, ok := strings.CutPrefix(s, "\\`"); ok {
			value.WriteByte('`')
			s = after
			continue
		}
		c, multibyte, rest, err := strconv.UnquoteChar(s, '"')
		if err != nil {
			t.Fatalf("systemd printed %q: %v", s, err)
		}
		if multibyte {
			value.WriteRune(c)
		} else {
			value.WriteByte(byte(c))
		}
		s = rest
	}
	return value.String()
}
