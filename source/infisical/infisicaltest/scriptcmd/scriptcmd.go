//go:build unix

// Package scriptcmd adds commands to testscript: an emulated server that scripts
// start, change and break, and processes that they start, signal and wait for. A
// script waits for what happens, never for time to pass.
package scriptcmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

// Commands returns the commands; Setup prepares each script for them. A ! before one
// that has no meaning for it fails the script.
func Commands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"holds":  cmdHolds,
		"counts": cmdCounts,
		"json":   cmdJSON,
	}
	for name, run := range map[string]func(*testscript.TestScript, []string){
		"server":   cmdServer,
		"fault":    cmdFault,
		"lift":     cmdLift,
		"set":      cmdSet,
		"unset":    cmdUnset,
		"import":   cmdImport,
		"approve":  cmdApprove,
		"trusts":   cmdTrusts,
		"answered": cmdAnswered,
		"exits":    cmdExits,
		"spawn":    cmdSpawn,
		"terminal": cmdTerminal,
		"type":     cmdType,
		"sig":      cmdSig,
		"ended":    cmdEnded,
		"waitfor":  cmdWaitFor,
		"matches":  cmdMatches,
		"absent":   cmdAbsent,
		"mode":     cmdMode,
		"get":      cmdGet,
	} {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s takes no !", name)
			}
			run(ts, args)
		}
	}
	return commands
}

// scriptState is what the commands of one script share.
type scriptState struct {
	server  *infisicaltest.Server
	spawned map[string]*spawned
}

type spawned struct {
	cmd      *exec.Cmd
	done     chan struct{}
	terminal *os.File // nil: it has none
	awaited  bool     // its end was
}

type stateKey struct{}

// Setup gives a script its state directory, and ends what it leaves behind.
func Setup(env *testscript.Env) error {
	state := &scriptState{spawned: make(map[string]*spawned)}
	env.Values[stateKey{}] = state
	env.Defer(func() {
		for _, p := range state.spawned {
			// The group too: a failed script must leave nothing behind.
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.done
		}
		if state.server != nil {
			state.server.Close()
		}
	})
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
	env.Setenv("HOME", env.WorkDir)
	return nil
}

func stateOf(ts *testscript.TestScript) *scriptState {
	return ts.Value(stateKey{}).(*scriptState)
}

func serverOf(ts *testscript.TestScript) *infisicaltest.Server {
	s := stateOf(ts).server
	if s == nil {
		ts.Fatalf("no server was started")
	}
	return s
}

// server [PROFILE] starts an emulator and sets the variables that lead to it.
func cmdServer(ts *testscript.TestScript, args []string) {
	state := stateOf(ts)
	var opts infisicaltest.Options
	if len(args) > 0 {
		opts.Profile = infisicaltest.Profile(args[0])
	}
	seed := infisicaltest.DefaultSeed()
	if len(args) > 1 {
		f, err := os.Open(ts.MkAbs(args[1]))
		ts.Check(err)
		defer f.Close()
		seed, err = infisicaltest.ReadSeed(f)
		ts.Check(err)
	}
	opts.Seed = &seed
	server, err := infisicaltest.Start(opts)
	ts.Check(err)
	state.server = server
	id, secret := server.Credentials()
	ts.Setenv("INFISICAL_URL", server.URL())
	ts.Setenv("INFISICAL_CLIENT_ID", id)
	ts.Setenv("INFISICAL_CLIENT_SECRET", secret)
	ts.Setenv("INFISICAL_PROJECT_ID", server.Project())
	ts.Setenv("INFISICAL_ENVIRONMENT", "dev")
}

// fault ACTION [KIND] [KEY=VALUE…] makes the server fail; lift ends all faults.
func cmdFault(ts *testscript.TestScript, args []string) {
	f := infisicaltest.Fault{Do: infisicaltest.Action(args[0])}
	for _, arg := range args[1:] {
		key, value, ok := strings.Cut(arg, "=")
		switch {
		case !ok:
			f.Kind = infisicaltest.Kind(arg)
		case key == "status":
			f.Status = number(ts, value)
		case key == "times":
			f.Times = number(ts, value)
		case key == "skip":
			f.Skip = number(ts, value)
		case key == "retry-after":
			f.RetryAfter = number(ts, value)
		case key == "names":
			f.Names = strings.Split(value, ",")
		case key == "location":
			f.Location = value
		default:
			ts.Fatalf("fault knows no %s", key)
		}
	}
	serverOf(ts).Fault(f)
}

func cmdLift(ts *testscript.TestScript, args []string) { serverOf(ts).LiftFaults() }

// place is PATH, ENV:PATH or PROJECT:ENV:PATH; the default is dev:/ of the first
// project.
func place(ts *testscript.TestScript, s string) source.Place {
	p := source.Place{Project: serverOf(ts).Project(), Environment: "dev", Path: "/"}
	parts := strings.Split(s, ":")
	if last := parts[len(parts)-1]; last != "" {
		p.Path = last
	}
	if len(parts) > 1 {
		p.Environment = parts[len(parts)-2]
	}
	if len(parts) > 2 {
		p.Project = parts[0]
	}
	return p
}

// set NAME=VALUE [PLACE] changes a secret on the server; \n stands for a new line.
func cmdSet(ts *testscript.TestScript, args []string) {
	name, value, ok := strings.Cut(args[0], "=")
	if !ok {
		ts.Fatalf("usage: set NAME=VALUE [PLACE]")
	}
	at := place(ts, strings.Join(args[1:], ""))
	ts.Check(serverOf(ts).MakeFolder(at))
	ts.Check(serverOf(ts).Set(at, name, strings.ReplaceAll(value, `\n`, "\n")))
}

// unset NAME [PLACE] deletes a secret on the server.
func cmdUnset(ts *testscript.TestScript, args []string) {
	if !serverOf(ts).Delete(place(ts, strings.Join(args[1:], "")), args[0]) {
		ts.Fatalf("there is no %s to delete", args[0])
	}
}

// exits N COMMAND… runs a command that must end with status N.
func cmdExits(ts *testscript.TestScript, args []string) {
	want := number(ts, args[0])
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		status := exit.Sys().(syscall.WaitStatus)
		if got = status.ExitStatus(); status.Signaled() {
			got = 128 + int(status.Signal())
		}
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// spawn NAME COMMAND… starts a command; what it prints goes to NAME.out and
// NAME.err.
func cmdSpawn(ts *testscript.TestScript, args []string) {
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer errs.Close()
	start(ts, args[0], args[1:], func(cmd *exec.Cmd) {
		cmd.Stdout, cmd.Stderr = out, errs
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}, nil)
}

// start starts a command that later ones of the script know by its name. It is
// done when it has ended and shown, if not nil, is closed.
func start(ts *testscript.TestScript, name string, argv []string, prepare func(*exec.Cmd), shown <-chan struct{}) *spawned {
	path, err := lookPath(ts, argv[0])
	ts.Check(err)
	cmd := &exec.Cmd{Path: path, Args: argv, Dir: ts.MkAbs("."), Env: environ(ts)}
	prepare(cmd)
	ts.Check(cmd.Start())
	p := &spawned{cmd: cmd, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		if shown != nil {
			<-shown
		}
		close(p.done)
	}()
	stateOf(ts).spawned[name] = p
	return p
}

func lookPath(ts *testscript.TestScript, name string) (string, error) {
	if strings.Contains(name, "/") {
		return ts.MkAbs(name), nil
	}
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// environ is the script's environment. testscript does not give it out whole, so
// a command that prints it is asked.
func environ(ts *testscript.TestScript) []string {
	ts.Check(ts.Exec("env", "-0"))
	var env []string
	for entry := range strings.SplitSeq(ts.ReadFile("stdout"), "\x00") {
		if entry != "" {
			env = append(env, entry)
		}
	}
	return env
}

func spawnedOf(ts *testscript.TestScript, name string) *spawned {
	p := stateOf(ts).spawned[name]
	if p == nil {
		ts.Fatalf("nothing was spawned as %q", name)
	}
	return p
}

// sig NAME SIGNAL sends a signal to a spawned command.
func cmdSig(ts *testscript.TestScript, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1}
	sig, ok := signals[args[1]]
	if !ok {
		ts.Fatalf("sig knows no %s", args[1])
	}
	ts.Check(spawnedOf(ts, args[0]).cmd.Process.Signal(sig))
}

// ended NAME N waits for the end of a spawned command, with status N.
func cmdEnded(ts *testscript.TestScript, args []string) {
	p := spawnedOf(ts, args[0])
	<-p.done
	p.awaited = true
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	got := status.ExitStatus()
	if status.Signaled() {
		got = 128 + int(status.Signal())
	}
	if strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s ended with %d, want %s\n%s", args[0], got, args[1], readOrEmpty(ts.MkAbs(args[0]+".err")))
	}
}

// waitfor FILE REGEXP [N] waits until REGEXP matches FILE at least N times. The
// test's own time limit is the limit.
func cmdWaitFor(ts *testscript.TestScript, args []string) {
	pattern, n := compile(ts, args[1]), 1
	if len(args) > 2 {
		n = number(ts, args[2])
	}
	await(ts, fmt.Sprintf("%q in %s", args[1], args[0]), func() bool {
		return len(pattern.FindAllString(readOrEmpty(ts.MkAbs(args[0])), -1)) >= n
	})
}

// await waits until there holds. It fails when a spawned command ends meanwhile.
func await(ts *testscript.TestScript, what string, there func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		for name, p := range stateOf(ts).spawned {
			select {
			case <-p.done:
				if !p.awaited && !there() {
					ts.Fatalf("%s ended while %s was awaited:\n%s", name, what, readOrEmpty(ts.MkAbs(name+".err")))
				}
			default:
			}
		}
		<-tick.C
	}
}

// matches FILE REGEXP N demands exactly N matches.
func cmdMatches(ts *testscript.TestScript, args []string) {
	content := readOrEmpty(ts.MkAbs(args[0]))
	if got := len(compile(ts, args[1]).FindAllString(content, -1)); strconv.Itoa(got) != args[2] {
		ts.Fatalf("%q matches %d times in %s, want %s:\n%s", args[1], got, args[0], args[2], content)
	}
}

// absent TEXT PATH… demands that no file below the paths holds the text.
func cmdAbsent(ts *testscript.TestScript, args []string) {
	for _, root := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if strings.Contains(readOrEmpty(path), args[0]) {
				ts.Fatalf("%s holds %q", path, args[0])
			}
			return nil
		}))
	}
}

// number reads a count or a status.
func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func compile(ts *testscript.TestScript, pattern string) *regexp.Regexp {
	re, err := regexp.Compile("(?m)" + pattern)
	ts.Check(err)
	return re
}

func readOrEmpty(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}
