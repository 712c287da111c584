//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"infisync/inject"
	"infisync/source"
	"infisync/source/config"
	"infisync/source/dotenv"
	"infisync/source/export"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/infisical/infisicaltest/scriptcmd"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// The test binary is also infisync, and the children that the scripts start.
func TestMain(m *testing.M) {
	inject.Stage()
	testscript.Main(m, map[string]func(){
		"infisync":         main,
		"infisync-hurried": hurried,
		"infisync-patient": patient,
		"infisync-busy":    busy,
		"child-env":        childEnv,
		"child-digest":     childDigest,
		"child-report":     childReport,
	})
}

// hurried is infisync with shorter waits.
func hurried() {
	client := infisical.DefaultPolicy()
	client.Answer, client.Hasty = 4*time.Second, 4*time.Second
	client.RateLimitWait, client.ServerErrorWait, client.ConnectionWait = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	limits := syncer.DefaultPolicy()
	limits.HastyStart, limits.PatientStart = 15*time.Second, 20*time.Second
	limits.RefusedWait, limits.MaxBackOff, limits.Silence = time.Second, time.Second, 10*time.Millisecond
	os.Exit((&app{clientPolicy: client, syncPolicy: limits}).start(os.Args))
}

// patient is infisync for tests of what is right on however slow a machine.
func patient() {
	client, limits := infisical.DefaultPolicy(), syncer.DefaultPolicy()
	client.Answer, client.Hasty = 5*time.Minute, 5*time.Minute
	limits.HastyStart, limits.PatientStart, limits.LockWait = 10*time.Minute, 10*time.Minute, 10*time.Minute
	os.Exit((&app{clientPolicy: client, syncPolicy: limits}).start(os.Args))
}

// busy is infisync that polls every 5 ms, and tells whoever connects to the socket
// $MEASURE what it holds.
func busy() {
	listener, err := net.Listen("unix", os.Getenv("MEASURE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			json.NewEncoder(conn).Encode(measureHeld())
			conn.Close()
		}
	}()
	limits := syncer.DefaultPolicy()
	limits.Pace = 5 * time.Millisecond
	os.Exit((&app{syncPolicy: limits}).start(os.Args))
}

// held is what a process has of what can leak.
type held struct{ Goroutines, Descriptors, Threads, AnonKiB int }

// measureHeld takes the least of many looks, since a poll has some for a moment.
func measureHeld() held {
	debug.FreeOSMemory()
	least := held{math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt}
	for range 200 {
		var now held
		now.Goroutines = runtime.NumGoroutine()
		for dir, n := range map[string]*int{"/proc/self/fd": &now.Descriptors, "/proc/self/task": &now.Threads} {
			entries, _ := os.ReadDir(dir)
			*n = len(entries)
		}
		status, _ := os.ReadFile("/proc/self/status")
		if _, after, ok := strings.Cut(string(status), "RssAnon:"); ok {
			fmt.Sscan(after, &now.AnonKiB)
		}
		least = held{min(least.Goroutines, now.Goroutines), min(least.Descriptors, now.Descriptors),
			min(least.Threads, now.Threads), min(least.AnonKiB, now.AnonKiB)}
		runtime.Gosched() // to the poll
	}
	return least
}

// childEnv writes its environment to the file it is given, each entry ended by
// NUL, in the order it has it.
func childEnv() {
	var b strings.Builder
	for _, entry := range os.Environ() {
		b.WriteString(entry)
		b.WriteByte(0)
	}
	if err := os.WriteFile(os.Args[1], []byte(b.String()), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// childReport appends a line to the file it is given: "started", its pid and a
// digest of the variables named after it. Then it waits for a signal, appends
// that and ends with 0 on TERM and 3 on INT.
func childReport() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1)
	report := func(format string, args ...any) {
		f, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintf(f, format+"\n", args...)
			f.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	report("started %d %s", os.Getpid(), digestOf(os.LookupEnv, os.Args[2:]))
	for sig := range signals {
		report("signal %d", int(sig.(syscall.Signal)))
		switch sig {
		case syscall.SIGTERM:
			os.Exit(0)
		case syscall.SIGINT:
			os.Exit(3)
		}
	}
}

// childDigest writes a digest of the variables named after the file it is given.
func childDigest() {
	digest := digestOf(os.LookupEnv, os.Args[2:])
	if err := os.WriteFile(os.Args[1], []byte(digest), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// digestOf tells sets of variables apart; one that is not set differs from an
// empty one.
func digestOf(lookup func(string) (string, bool), names []string) string {
	sum := sha256.New()
	for _, name := range names {
		value, ok := lookup(name)
		fmt.Fprintf(sum, "%s=%v:%d:%s\n", name, ok, len(value), value)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

func TestScripts(t *testing.T) { runScripts(t, "testdata/script", infisicaltest.Current) }

// TestProfiles runs the scripts about what servers differ in, with each kind.
func TestProfiles(t *testing.T) {
	for _, profile := range infisicaltest.Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			runScripts(t, "testdata/script/profiles", profile)
		})
	}
}

// runScripts runs the scripts of a directory; $PROFILE in them is the profile.
func runScripts(t *testing.T, dir string, profile infisicaltest.Profile) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			examples, err := filepath.Abs("examples")
			env.Setenv("EXAMPLES", examples)
			env.Setenv("PROFILE", string(profile))
			// Under the race detector each command would else sleep for a second at its end.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return errors.Join(err, scriptcmd.Setup(env))
		},
		Cmds:      scriptcmd.Commands(),
		Condition: scriptcmd.Condition,
	})
}

// A bench is one infisync with its server, directory and environment.
type bench struct {
	t      testing.TB
	server *infisicaltest.Server
	dir    string
	env    []string
}

func newBench(t testing.TB, opts infisicaltest.Options, extra ...string) *bench {
	t.Helper()
	server, err := infisicaltest.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return benchOf(t, server, extra...)
}

// benchOf is another bench with the same server.
func benchOf(t testing.TB, server *infisicaltest.Server, extra ...string) *bench {
	dir := t.TempDir()
	id, secret := server.Credentials()
	return &bench{t: t, server: server, dir: dir, env: append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8", "XDG_STATE_HOME=" + filepath.Join(dir, "state"),
		"GORACE=atexit_sleep_ms=0", // under the race detector each process would wait a second at its end
		"INFISICAL_URL=" + server.URL(), "INFISICAL_CLIENT_ID=" + id, "INFISICAL_CLIENT_SECRET=" + secret,
		"INFISICAL_PROJECT_ID=" + server.Project(), "INFISICAL_ENVIRONMENT=dev",
	}, extra...)}
}

func (b *bench) place(env, path string) source.Place {
	return source.Place{Project: b.server.Project(), Environment: env, Path: path}
}

func (b *bench) set(name, value string) {
	b.t.Helper()
	if err := b.server.Set(b.place("dev", "/"), name, value); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	return cmd
}

// run runs a command to its end and returns its status and stderr.
func (b *bench) run(name string, args ...string) (status int, stderr string) {
	var errs bytes.Buffer
	cmd := b.command(name, args...)
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		b.t.Errorf("starting %s: %v", name, err)
		return -1, ""
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

func (b *bench) read(name string) string {
	data, _ := os.ReadFile(b.path(name))
	return string(data)
}

// await waits until the file holds text at least n times, and returns it.
func (b *bench) await(name, text string, n int) string {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if content := b.read(name); strings.Count(content, text) >= n {
			return content
		}
		<-tick.C
	}
}

// TestEveryByte: in every profile the child gets each secret byte for byte, and
// nothing else of its environment differs but the credentials taken out and
// INFISYNC_RUN.
func TestEveryByte(t *testing.T) {
	for _, profile := range infisicaltest.Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			f, err := os.Open("examples/emulator/seed.json")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			seed, err := infisicaltest.ReadSeed(f)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, infisicaltest.Options{Profile: profile, Seed: &seed},
				"ODD=a=b=\xff\n", "EMPTY_INHERITED=", "INFISICAL_SECRET_PATH=/", "INFISYNC_LOG_LEVEL=warn")
			want := expectedOf(b, seed)
			for _, mode := range [][]string{{"run", "--"}, {"run", "--exec", "--"}, {"run", "--start", "vault", "--once", "--"}} {
				status, stderr := b.run("infisync-patient", append(mode, "child-env", "got")...)
				if status != 0 || stderr != "" {
					t.Fatalf("%q: status %d, stderr %q", mode, status, stderr)
				}
				got := strings.Split(strings.TrimSuffix(b.read("got"), "\x00"), "\x00")
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q: the child's environment (-want +got):\n%s", mode, diff)
				}
			}
		})
	}
}

// expectedOf is what a child of dev:/ is to get: the seed's own and imported
// secrets, references expanded, over the inherited environment.
func expectedOf(b *bench, seed infisicaltest.Seed) []string {
	values := make(map[string]string)
	withheld := config.Credentials{}.Withheld()
	for _, entry := range b.env {
		if name, value, _ := strings.Cut(entry, "="); !slices.Contains(withheld, name) {
			values[name] = value
		}
	}
	values[config.NestedVariable] = "1"
	take := func(env, path string) {
		for _, folder := range seed.Folders {
			if folder.Environment != env || source.CleanPath(folder.Path) != path {
				continue
			}
			for _, secret := range folder.Secrets {
				stored, _ := b.server.Get(b.place(env, path), secret.Name)
				values[secret.Name] = stored.Value
			}
		}
	}
	for _, folder := range seed.Folders {
		if folder.Environment == "dev" && source.CleanPath(folder.Path) == "/" {
			for _, imported := range folder.Imports {
				take(imported.Environment, source.CleanPath(imported.Path))
			}
		}
	}
	take("dev", "/")
	var out []string
	for name, value := range values {
		for _, reference := range []string{"DB_HOST", "DB_PASSWORD"} {
			value = strings.ReplaceAll(value, "${"+reference+"}", values[reference])
		}
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// A fault of the matrix: what fails at which step, and what the codes are by which
// infisync names it.
type fault struct {
	name  string
	step  string // dial, login, list or body
	apply func(*infisicaltest.Server)
	lift  func(*infisicaltest.Server) // nil: LiftFaults
	class class
	codes []source.Code
}

// A class of faults has one outcome in each phase.
type class int

const (
	outOfReach class = iota // the vault answers if there is one
	refused                 // nothing answers
	negative                // nothing answers: the server gave a clear answer
	partial                 // an answer that lost names once: it is not believed when more was known
)

func faults() []fault {
	do := func(f infisicaltest.Fault) func(*infisicaltest.Server) {
		return func(s *infisicaltest.Server) { s.Fault(f) }
	}
	all := []fault{
		{"port closed", "dial", func(s *infisicaltest.Server) { s.Down() }, func(s *infisicaltest.Server) { s.Up() }, outOfReach, []source.Code{source.CodeUnreachable}},
		{"reset", "dial", do(infisicaltest.Fault{Do: infisicaltest.FaultReset}), nil, outOfReach, []source.Code{source.CodeUnreachable}},
		{"no answer", "dial", do(infisicaltest.Fault{Do: infisicaltest.FaultHang}), nil, outOfReach, []source.Code{source.CodeTimeout, source.CodeStartupTimeout}},
		{"identity locked", "login", func(s *infisicaltest.Server) { id, _ := s.Credentials(); s.Lock(id) },
			func(s *infisicaltest.Server) { id, _ := s.Credentials(); s.Unlock(id) }, outOfReach, []source.Code{source.CodeIdentityLocked}},
	}
	for _, step := range []infisicaltest.Kind{infisicaltest.KindLogin, infisicaltest.KindList} {
		add := func(name string, f infisicaltest.Fault, class class, codes ...source.Code) {
			f.Kind = step
			all = append(all, fault{name, string(step), do(f), nil, class, codes})
		}
		for _, status := range []int{500, 502, 503, 504} {
			add(fmt.Sprint(status), infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: status}, outOfReach, source.CodeServerError)
		}
		add("429", infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 429, RetryAfter: 1, Message: "Rate limit exceeded. Please try again in 1 seconds"}, outOfReach, source.CodeRateLimited)
		add("500 with retry-after", infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 500, RetryAfter: 1}, outOfReach, source.CodeRateLimited)
		add("403 with retry-after", infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403, RetryAfter: 1}, outOfReach, source.CodeRateLimited)
		add("502 from a proxy", infisicaltest.Fault{Do: infisicaltest.FaultHTML502}, outOfReach, source.CodeNotTheAPI, source.CodeServerError)
		add("a web page", infisicaltest.Fault{Do: infisicaltest.FaultHTML}, outOfReach, source.CodeNotTheAPI)
		add("foreign JSON", infisicaltest.Fault{Do: infisicaltest.FaultForeignJSON}, outOfReach, source.CodeNotTheAPI, source.CodeNoAccessToken)
		add("redirect elsewhere", infisicaltest.Fault{Do: infisicaltest.FaultRedirect, Location: "http://127.0.0.1:1"}, outOfReach, source.CodeRedirect)
		add("reset", infisicaltest.Fault{Do: infisicaltest.FaultReset}, outOfReach, source.CodeUnreachable)
		add("no answer", infisicaltest.Fault{Do: infisicaltest.FaultHang}, outOfReach, source.CodeTimeout, source.CodeStartupTimeout)
		add("body cut", infisicaltest.Fault{Do: infisicaltest.FaultCutBody}, outOfReach, source.CodeNotTheAPI, source.CodeUnreachable)
		add("body stalls", infisicaltest.Fault{Do: infisicaltest.FaultStallBody}, outOfReach, source.CodeTimeout, source.CodeStartupTimeout)
		add("body drips", infisicaltest.Fault{Do: infisicaltest.FaultSlowBody}, outOfReach, source.CodeTimeout, source.CodeStartupTimeout)
		add("400", infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 400}, negative, source.CodeRequestRefused)
		add("422", infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 422}, negative, source.CodeRequestRefused)
	}
	add := func(name string, step string, kind infisicaltest.Kind, f infisicaltest.Fault, class class, codes ...source.Code) {
		f.Kind = kind
		all = append(all, fault{name, step, do(f), nil, class, codes})
	}
	list, login := infisicaltest.KindList, infisicaltest.KindLogin
	add("401", "login", login, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 401}, refused, source.CodeLoginRefused)
	add("403", "login", login, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403}, refused, source.CodeLoginRefused, source.CodeAccessDenied)
	add("404", "login", login, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 404, Message: "No identity with specified client ID was found"}, refused, source.CodeLoginRefused)
	add("401", "list", list, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 401}, refused, source.CodeTokenRefused)
	add("403", "list", list, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403}, refused, source.CodeAccessDenied)
	add("404 of the folder", "list", list, infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 404, Message: "Folder with path '/' in environment with slug 'dev' not found"}, negative, source.CodePlaceNotFound)
	add("too large", "body", list, infisicaltest.Fault{Do: infisicaltest.FaultHugeBody}, outOfReach, source.CodeNotTheAPI, source.CodeTimeout)
	add("empty list", "body", list, infisicaltest.Fault{Do: infisicaltest.FaultEmptyList}, negative, source.CodeNothingFound)
	add("masked value", "body", list, infisicaltest.Fault{Do: infisicaltest.FaultMaskValues, Names: []string{"B"}}, negative, source.CodeValueMasked)
	add("names lost once", "body", list, infisicaltest.Fault{Do: infisicaltest.FaultLoseNames, Names: []string{"B"}, Times: 1}, partial)
	return all
}

// faultNames are the secrets that the children of the matrix report on.
var faultNames = []string{"A", "B", "C"}

// digestFor is the digest that a child with these values reports.
func digestFor(values ...string) string {
	return digestOf(func(name string) (string, bool) {
		value := values[slices.Index(faultNames, name)]
		return strings.TrimPrefix(value, "-"), value != "-"
	}, faultNames)
}

func faultBench(t testing.TB, profile infisicaltest.Profile) *bench {
	b := newBench(t, infisicaltest.Options{Profile: profile}, "INFISYNC_INTERVAL=1s", "INFISYNC_DEBOUNCE=20ms")
	for _, name := range faultNames {
		b.set(name, "1")
	}
	return b
}

// A cell of the matrix: a fault, the kind of server, and the phase: the watch, or a
// start with the vault in one of these states.
type cell struct {
	fault   fault
	profile infisicaltest.Profile
	phase   string
}

const (
	noVault      = "no vault"
	freshVault   = "fresh vault"
	staleVault   = "stale vault"
	damagedVault = "damaged vault"
	foreignVault = "vault of another scope"
	inWatch      = "watch"
)

// faultCells are the cells: with INFISYNC_FAULTS=all those of every state of the
// vault on the newest and the oldest kind of server.
func faultCells() []cell {
	profiles, phases := []infisicaltest.Profile{infisicaltest.Current}, []string{noVault, freshVault, inWatch}
	if os.Getenv("INFISYNC_FAULTS") == "all" {
		profiles = append(profiles, infisicaltest.Legacy)
		phases = append(phases, staleVault, damagedVault, foreignVault)
	}
	var cells []cell
	for _, profile := range profiles {
		for _, phase := range phases {
			for _, f := range faults() {
				cells = append(cells, cell{f, profile, phase})
			}
		}
	}
	return cells
}

func (c cell) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", c.profile, c.phase, c.fault.step, c.fault.name)
}

// TestFaults goes through every fault in every phase. At a start the child has the
// complete new set, or the complete previous one, or does not run, with a code; in
// the watch it keeps what it has. What each cell asserted is printed.
func TestFaults(t *testing.T) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, 12) // most of a cell is waiting
	cells := faultCells()
	outcomes := make([]string, len(cells))
	for i, c := range cells {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			outcomes[i] = "violation"
			ok := t.Run(c.String(), func(t *testing.T) {
				if c.phase == inWatch {
					outcomes[i] = faultInWatch(t, c)
				} else {
					outcomes[i] = faultAtStart(t, c)
				}
			})
			if !ok {
				outcomes[i] = "violation"
			}
		})
	}
	wait.Wait()
	distinct, violations := make(map[string]bool), 0
	for i, c := range cells {
		distinct[c.String()] = true
		if outcomes[i] == "violation" {
			violations++
		}
		t.Logf("%-12s %-24s %-6s %-24s %s", c.profile, c.phase, c.fault.step, c.fault.name, outcomes[i])
	}
	if len(distinct) != len(cells) {
		t.Errorf("%d of %d cells are distinct", len(distinct), len(cells))
	}
	t.Logf("%d cells, %d violations", len(distinct), violations)
}

// The digests that the children of the matrix may report at a start.
var (
	previousSet = digestFor("1", "1", "1")
	newSet      = digestFor("2", "1", "1")
	lostOnce    = digestFor("2", "-", "1") // with nothing known that it could be compared with
)

func faultAtStart(t *testing.T, c cell) string {
	b, f := faultBench(t, c.profile), c.fault
	prepareVault(t, b, c.phase)
	b.set("A", "2")
	f.apply(b.server)
	status, stderr := b.run("infisync-hurried", "run", "--once", "--", "child-digest", "got", "A", "B", "C")
	switch {
	case f.class == outOfReach && c.phase == freshVault:
		expectRan(t, b, status, stderr, previousSet)
		if !strings.Contains(stderr, "starting with the vault's copy") || !containsCode(stderr, "warning", f.codes) {
			t.Errorf("the vault answered without a word of it: %q", stderr)
		}
		return "previous set"
	case f.class == partial && (c.phase == freshVault || c.phase == staleVault):
		// Too old to answer, the vault still tells what to expect.
		expectRan(t, b, status, stderr, newSet)
		return "new set"
	case f.class == partial:
		expectRan(t, b, status, stderr, lostOnce)
		return "set as listed"
	}
	expectNotRun(t, b, f, status, stderr)
	code := slices.IndexFunc(f.codes, func(code source.Code) bool { return containsCode(stderr, "error", []source.Code{code}) })
	if code < 0 {
		return "not run"
	}
	return fmt.Sprintf("not run [%s]", f.codes[code])
}

// prepareVault brings the vault of dev:/ into that state, by a start that is well.
func prepareVault(t *testing.T, b *bench, state string) {
	t.Helper()
	fill := func(args ...string) []string {
		t.Helper()
		if status, stderr := b.run("infisync-hurried", append(append([]string{"run", "--once"}, args...), "--", "child-digest", "got", "A", "B", "C")...); status != 0 {
			t.Fatalf("filling the vault: status %d, stderr %q", status, stderr)
		}
		vaults, err := filepath.Glob(b.path("state/infisync/*/vault.*.age"))
		if err != nil || len(vaults) == 0 {
			t.Fatalf("vaults %q: %v", vaults, err)
		}
		return vaults
	}
	if state == noVault {
		return
	}
	sealed := fill()[0]
	expectRan(t, b, 0, "", previousSet)
	switch state {
	case staleVault:
		b.env = append(b.env, "INFISYNC_MAX_STALE=0s")
	case damagedVault:
		data, err := os.ReadFile(sealed)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(sealed, data, 0o600); err != nil {
			t.Fatal(err)
		}
	case foreignVault:
		for _, name := range faultNames {
			if err := b.server.Set(b.place("prod", "/"), name, "foreign"); err != nil {
				t.Fatal(err)
			}
		}
		vaults := fill("--env", "prod")
		foreign := vaults[slices.IndexFunc(vaults, func(path string) bool { return path != sealed })]
		if err := os.Rename(foreign, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(b.path("got")); err != nil {
		t.Fatal(err)
	}
}

func faultInWatch(t *testing.T, c cell) string {
	b, f := faultBench(t, c.profile), c.fault
	cmd := b.command("infisync-hurried", "run", "--", "child-report", "report", "A", "B", "C")
	stderr, err := os.Create(b.path("stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	b.await("report", "started", 1)
	polls := b.server.Count(infisicaltest.KindList)
	f.apply(b.server)
	if f.step == "login" || f.step == "dial" { // a poll that had logged in before may list what is new
		b.await("stderr", "poll failed", 1)
	}
	b.set("A", "2") // so that there is something to be told, and to be spoilt
	if f.class == partial || f.name == "empty list" {
		// These are not failures, but answers that two polls must agree on.
		if err := b.server.Wait(t.Context(), infisicaltest.KindList, polls+2); err != nil {
			t.Fatal(err)
		}
	} else {
		if log := b.await("stderr", "poll failed", 1); !containsCode(log, "warning", f.codes) {
			t.Errorf("stderr %q names none of %v", log, f.codes)
		}
		if report := b.read("report"); strings.Count(report, "\n") != 1 {
			t.Errorf("the fault reached the child: %q", report)
		}
	}
	if f.lift != nil {
		f.lift(b.server)
	}
	b.server.LiftFaults()
	report := b.await("report", "started", 2)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("infisync: %v\n%s", err, b.read("stderr"))
	}
	lines := strings.Split(report, "\n")
	if len(lines) < 3 || !strings.HasSuffix(lines[0], digestFor("1", "1", "1")) || lines[1] != "signal 15" || !strings.HasSuffix(lines[2], digestFor("2", "1", "1")) {
		t.Errorf("the children reported %q", lines)
	}
	return "kept, then new set"
}

func expectRan(t *testing.T, b *bench, status int, stderr, digest string) {
	t.Helper()
	if got := b.read("got"); status != 0 || got != digest {
		t.Errorf("status %d, the child reported %q, want %q; stderr %q", status, got, digest, stderr)
	}
}

func expectNotRun(t *testing.T, b *bench, f fault, status int, stderr string) {
	t.Helper()
	if got := b.read("got"); status != 125 || got != "" || !containsCode(stderr, "error", f.codes) {
		t.Errorf("status %d, the child reported %q, want 125, no child and one of %v; stderr %q", status, got, f.codes, stderr)
	}
}

func containsCode(stderr, level string, codes []source.Code) bool {
	return slices.ContainsFunc(codes, func(code source.Code) bool {
		return strings.Contains(stderr, fmt.Sprintf("infisync: %s [%s]: ", level, code))
	})
}

// TestNothingLeaks: a canary as secret, client secret and token is found nowhere
// but in the child, however it is written, whatever fails.
func TestNothingLeaks(t *testing.T) {
	const mark = "cAnArY7f3a9bXyZw"
	canary := mark + "\"'\n\t$\\" + mark
	seed := infisicaltest.DefaultSeed()
	secret := strings.NewReplacer("\n", "", "\t", "").Replace(canary) // one with white space in it is not tried
	seed.Identities[0].ClientSecret = secret
	cases := []struct {
		name  string
		fault *infisicaltest.Fault
		args  []string
		env   []string
	}{
		{name: "all is well", args: []string{"run", "--once"}},
		{name: "list refused", fault: &infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403, Kind: infisicaltest.KindList}},
		{name: "login refused", fault: &infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 401, Kind: infisicaltest.KindLogin, Times: 1, Message: secret}},
		{name: "bad request", fault: &infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 400, Kind: infisicaltest.KindLogin, Message: "bad " + secret}},
		{name: "cut body", fault: &infisicaltest.Fault{Do: infisicaltest.FaultCutBody, Kind: infisicaltest.KindList}},
		{name: "masked", fault: &infisicaltest.Fault{Do: infisicaltest.FaultMaskValues, Kind: infisicaltest.KindList}},
		{name: "client secret with a line end", env: []string{"INFISICAL_CLIENT_SECRET=" + canary}},
		{name: "token", env: []string{"INFISICAL_CLIENT_ID=", "INFISICAL_CLIENT_SECRET=", "INFISICAL_TOKEN=" + secret}},
		{name: "JWT", env: []string{"INFISYNC_AUTH=jwt", "INFISICAL_MACHINE_IDENTITY_ID=" + infisicaltest.DefaultClientID, "INFISICAL_JWT=" + secret}},
		{name: "in the URL", env: []string{"INFISICAL_URL=https://user:" + mark + "@127.0.0.1:1"}},
		{name: "files", args: []string{"run", "--once", "--file", "SECRET=secret", "--file-all", "all", "--file-format", "json"}},
		{name: "too large for the kernel", args: []string{"run", "--rename", "BIG=HUGE"}},
		{name: ".env", args: []string{"run", "--env-file", "bad.env"}, env: []string{"INFISICAL_URL=", "INFISICAL_CLIENT_ID=", "INFISICAL_CLIENT_SECRET="}},
		{name: "sync", args: []string{"sync"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, infisicaltest.Options{Seed: &seed}, append([]string{"INFISYNC_LOG_LEVEL=debug"}, c.env...)...)
			b.set("SECRET", canary)
			if c.name == "too large for the kernel" {
				b.set("BIG", strings.Repeat(mark, 20_000))
			}
			if err := os.WriteFile(b.path("bad.env"), []byte("A=\""+canary+"\nB"), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.fault != nil {
				b.server.Fault(*c.fault)
			}
			args := c.args
			if args == nil {
				args = []string{"run"}
			}
			if args[0] == "run" {
				args = append(args, "--", "child-digest", "got", "SECRET")
			}
			_, stderr := b.run("infisync-hurried", args...)
			if c.name == "all is well" && b.read("got") != digestOf(func(string) (string, bool) { return canary, true }, []string{"SECRET"}) {
				t.Errorf("the child did not get the canary; stderr %q", stderr)
			}
			os.Remove(b.path("bad.env"))
			findNothing(t, "stderr", stderr, mark, canary)
			files := 0
			err := filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				files++
				data, err := os.ReadFile(path)
				findNothing(t, path, string(data), mark, canary)
				return err
			})
			if err != nil || c.name == "all is well" && files < 3 {
				t.Errorf("looked at %d files: %v", files, err)
			}
		})
	}
}

// findNothing looks for the parts of the canary in all forms in which they could
// be written.
func findNothing(t *testing.T, where, text, mark, canary string) {
	t.Helper()
	asJSON, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		mark, canary, strings.Trim(string(asJSON), `"`), hex.EncodeToString([]byte(mark)), strings.ToUpper(hex.EncodeToString([]byte(mark))),
		// The three alignments that base64 can have, without the edges that depend on the neighbours.
		base64.StdEncoding.EncodeToString([]byte(mark)), base64.StdEncoding.EncodeToString([]byte(mark[1:])), base64.StdEncoding.EncodeToString([]byte(mark[2:]))[:12],
	} {
		if strings.Contains(text, form) {
			t.Errorf("%s holds the canary as %q", where, form)
		}
	}
}

// TestVariablesAreNotQuoted: a secret that was put into the variable of any setting is
// not repeated, except in these: names of places, of files that hold no secret of
// infisync's, and of commands.
func TestVariablesAreNotQuoted(t *testing.T) {
	const canary = "cAnArY7f3a9bXyZw"
	names := []string{"env", "project", "path", "from", "state-dir", "env-file", "ca-file", "on-event"}
	commands := []struct {
		on   config.Command
		args []string
	}{
		{config.Run, []string{"run", "--once", "--", "true"}}, {config.Sync, []string{"sync"}}, {config.VaultRekey, []string{"vault", "rekey"}},
		{config.Push, []string{"push", "--all"}}, {config.Export, []string{"export"}}, {config.Diff, []string{"diff"}},
		{config.Graph, []string{"graph"}}, {config.Status, []string{"status"}},
	}
	server := newBench(t, infisicaltest.Options{}).server
	for _, setting := range config.Table {
		for _, command := range commands {
			if setting.On&command.on == 0 || slices.Contains(names, setting.Name) {
				continue
			}
			for _, name := range append(setting.Vars, setting.Variable()) {
				t.Run(command.args[0]+" "+name, func(t *testing.T) {
					t.Parallel()
					b := benchOf(t, server, "INFISYNC_LOG_LEVEL=debug", name+"="+canary)
					if out, _ := b.command("infisync-patient", command.args...).CombinedOutput(); bytes.Contains(out, []byte(canary)) {
						t.Errorf("it printed\n%s", out)
					}
				})
			}
		}
	}
}

// TestArguments: what infisync knows is never in its own arguments, and the
// child's arguments are the child's only.
func TestArguments(t *testing.T) {
	b := faultBench(t, infisicaltest.Current)
	cmd := b.command("infisync", "run", "--", "child-report", "report", "A")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(syscall.SIGTERM)
	b.await("report", "started", 1)
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err != nil && runtime.GOOS != "linux" {
		t.Skipf("no /proc here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := "infisync\x00run\x00--\x00child-report\x00report\x00A\x00"; !strings.HasSuffix(string(line), want) {
		t.Errorf("command line %q, want %q", line, want)
	}
}

// TestImports holds who may import whom: main → source and inject; inject nothing
// of infisync; source the standard library; below it packages import source, the
// shared disk package, and in syncer and doctor also their siblings.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{"\t"}}{{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), "\t")
		for _, imported := range strings.Fields(imports) {
			if !mayImport(pkg, imported) {
				t.Errorf("%s imports %s", pkg, imported)
			}
		}
	}
}

func mayImport(pkg, imported string) bool {
	const own, test = "infisync/source/", "infisync/source/infisical/infisicaltest"
	standard := !strings.Contains(strings.Split(imported, "/")[0], ".") && !strings.HasPrefix(imported, "infisync")
	isTest := pkg == test || strings.HasPrefix(pkg, test+"/")
	switch {
	case standard:
		return true
	case imported == test:
		return isTest || pkg == "infisync/examples/emulator"
	case imported == "infisync":
		return false
	case pkg == "infisync/inject":
		return strings.HasPrefix(imported, "golang.org/x/sys/")
	case pkg == "infisync/source":
		return false
	case !strings.HasPrefix(imported, "infisync"):
		return strings.HasPrefix(pkg, own) || pkg == "infisync" && imported == "github.com/urfave/cli/v2"
	case pkg == "infisync":
		return true
	case imported == "infisync/source" || imported == own+"state/disk":
		return strings.HasPrefix(pkg, own)
	}
	return pkg == own+"syncer" || pkg == own+"doctor"
}

// TestJoinedStarts: fifty processes of one scope that start at once share a pull,
// on a server that would refuse fifty.
func TestJoinedStarts(t *testing.T) {
	const processes = 50
	b := newBench(t, infisicaltest.Options{Limits: infisicaltest.Limits{Read: 10, Write: 10, Secret: 10}}, "INFISYNC_LOG_LEVEL=debug", "INFISYNC_STARTUP_TIMEOUT=5m")
	for _, name := range faultNames {
		b.set(name, "1")
	}
	lift := b.server.Fault(infisicaltest.Fault{Do: infisicaltest.FaultHang, Kind: infisicaltest.KindLogin, Times: 1})
	var commands []*exec.Cmd
	for i := range processes {
		cmd := b.command("infisync-patient", "run", "--once", "--", "child-digest", fmt.Sprintf("got%d", i), "A", "B", "C")
		stderr, err := os.Create(b.path(fmt.Sprintf("stderr%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		defer stderr.Close()
		cmd.Stderr = stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
	for i := range processes {
		b.await(fmt.Sprintf("stderr%d", i), "joining the pulls", 1)
	}
	lift()
	for i, cmd := range commands {
		err := cmd.Wait()
		if got := b.read(fmt.Sprintf("got%d", i)); err != nil || got != digestFor("1", "1", "1") {
			t.Errorf("process %d: %v, its child reported %q\n%s", i, err, got, b.read(fmt.Sprintf("stderr%d", i)))
		}
	}
	if n := b.server.Count(infisicaltest.KindLogin); n > 3 {
		t.Errorf("%d logins for %d starts, want at most 3", n, processes)
	}
	b.set("A", "2")
	status, stderr := b.run("infisync-patient", "run", "--once", "--", "child-digest", "got", "A", "B", "C")
	expectRan(t, b, status, stderr, digestFor("2", "1", "1"))
}

// openVault opens the one vault of the bench, and returns how to open it again.
func (b *bench) openVault() (vault.Key, vault.Contents) {
	b.t.Helper()
	_, secret := b.server.Credentials()
	key, err := vault.DeriveKey(source.NewValue(secret))
	if err != nil {
		b.t.Fatal(err)
	}
	found, _, err := vault.Find(b.path("state/infisync"), key, source.Scope{})
	if err != nil || len(found) != 1 {
		b.t.Fatalf("found %d vaults: %v", len(found), err)
	}
	return key, found[0].Contents
}

// TestManyOnOneScope: of two hundred processes that change one vault at once none
// undoes what another did, and all of them end.
func TestManyOnOneScope(t *testing.T) {
	const processes = 200
	b := faultBench(t, infisicaltest.Current)
	var commands []*exec.Cmd
	errs := make([]bytes.Buffer, processes)
	for i := range processes {
		cmd := b.command("infisync-patient", "vault", "set", fmt.Sprintf("LOCAL_%d", i))
		if i%10 == 0 {
			cmd = b.command("infisync-patient", "run", "--startup-timeout", "5m", "--once", "--", "child-digest", fmt.Sprintf("got%d", i), "A", "B", "C")
		}
		cmd.Stdin, cmd.Stderr = strings.NewReader(fmt.Sprintf("value %d", i)), &errs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
	for i, cmd := range commands {
		if err := cmd.Wait(); err != nil || errs[i].Len() > 0 {
			t.Errorf("process %d: %v, stderr %q", i, err, &errs[i])
		}
	}
	_, contents := b.openVault()
	for i := range processes {
		if i%10 == 0 {
			if got := b.read(fmt.Sprintf("got%d", i)); got != previousSet {
				t.Errorf("the child of process %d reported %q, want %q", i, got, previousSet)
			}
		} else if got := contents.Local[fmt.Sprintf("LOCAL_%d", i)].Value.Reveal(); got != fmt.Sprintf("value %d", i) {
			t.Errorf("the vault holds %q of process %d", got, i)
		}
	}
	if contents.Set.Len() != len(faultNames) {
		t.Errorf("the vault holds %v of the server", contents.Set)
	}
}

// TestClockSetBack: a vault that was filled in what is now the future does not
// answer for the server, since it may be of any age, and the next pull puts its
// time right.
func TestClockSetBack(t *testing.T) {
	b := faultBench(t, infisicaltest.Current)
	start := func() (int, string) {
		os.Remove(b.path("got"))
		return b.run("infisync-hurried", "run", "--startup-timeout", "2s", "--once", "--", "child-digest", "got", "A", "B", "C")
	}
	down := infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 503, Kind: infisicaltest.KindList}
	status, stderr := start()
	expectRan(t, b, status, stderr, previousSet)
	key, contents := b.openVault()
	_, err := vault.Update(t.Context(), b.path("state/infisync"), key, contents.Scope, func(c *vault.Contents) error {
		c.ApplyPull(c.Set, time.Now().Add(48*time.Hour))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	lift := b.server.Fault(down)
	status, stderr = start()
	expectNotRun(t, b, fault{codes: []source.Code{source.CodeServerError}}, status, stderr)
	if !strings.Contains(stderr, "pulled in the future: was the clock set back?") {
		t.Errorf("stderr %q does not say why the vault does not answer", stderr)
	}
	lift()
	b.set("A", "2")
	status, stderr = start()
	expectRan(t, b, status, stderr, newSet)
	b.server.Fault(down)
	status, stderr = start()
	expectRan(t, b, status, stderr, newSet)
}

// asUser is a command of another user's.
func asUser(uid int, argv ...string) *exec.Cmd {
	id := fmt.Sprint(uid)
	return exec.Command("setpriv", append([]string{"--reuid", id, "--regid", id, "--clear-groups"}, argv...)...)
}

// A house is where another user runs infisync: the program, which all may start, and
// the user's home, which all may look into. Its bench has the server and root's eyes.
type house struct {
	*bench
	uid int
}

func newHouse(t *testing.T, uid int) house {
	t.Helper()
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("needs root on Linux: to be two processes of other users")
	}
	if err := asUser(nobody, "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs setpriv: %v", err)
	}
	dir, err := os.MkdirTemp("", "infisync-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	home := filepath.Join(dir, "home")
	err = errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "infisync"), binary, 0o755),
		os.Mkdir(home, 0o755), os.Chown(home, uid, uid))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, infisicaltest.Options{}, "HOME="+home, "TMPDIR="+home, "XDG_STATE_HOME="+filepath.Join(home, "state"))
	b.set("A", "1")
	b.dir = home
	return house{b, uid}
}

// infisync is a command of the house's user.
func (h house) infisync(args ...string) *exec.Cmd {
	cmd := asUser(h.uid, append([]string{filepath.Join(filepath.Dir(h.dir), "infisync")}, args...)...)
	cmd.Dir, cmd.Env = h.dir, h.env
	return cmd
}

// start starts infisync with a child, which ends when the test does, and returns
// their process ids.
func (h house) start() (infisync, child int) {
	h.t.Helper()
	cmd := h.infisync("run", "--", "sh", "-c", "echo $$; cat")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if _, err := fmt.Fscan(out, &child); err != nil {
		h.t.Fatal(err)
	}
	return cmd.Process.Pid, child
}

// nobody and another are users who own nothing.
const nobody, another = 65534, 65533

// opens tells whether the user can open a file, or list a folder.
func opens(uid int, path string) bool {
	return asUser(uid, "sh", "-c", `[ -d "$0" ] && exec ls "$0" >/dev/null || : <"$0"`, path).Run() == nil
}

// proc are the files by which a process could be looked into.
func proc(pid int) []string {
	return []string{fmt.Sprintf("/proc/%d/environ", pid), fmt.Sprintf("/proc/%d/mem", pid), fmt.Sprintf("/proc/%d/maps", pid)}
}

// TestClosedToTheSameUser: another process of the user cannot read infisync's
// environment and memory, in which its credentials are.
func TestClosedToTheSameUser(t *testing.T) {
	infisync, child := newHouse(t, nobody).start()
	for _, path := range proc(infisync) {
		if opens(nobody, path) {
			t.Errorf("a process of the same user can open infisync's %s", path)
		}
	}
	for _, path := range proc(child) {
		if !opens(nobody, path) {
			t.Errorf("the child's %s is closed to its own user too", path)
		}
	}
}

// TestClosedToOtherUsers: nothing that infisync keeps, has in memory or was given can
// be read by another user.
func TestClosedToOtherUsers(t *testing.T) {
	for _, owner := range []int{0, another} {
		t.Run(fmt.Sprint("user ", owner), func(t *testing.T) {
			h := newHouse(t, owner)
			infisync, child := h.start()
			paths := slices.Concat(proc(infisync), proc(child))
			kept := ""
			err := filepath.WalkDir(h.path("state"), func(path string, d os.DirEntry, err error) error {
				kept += " " + d.Name()
				if err != nil || !d.IsDir() {
					paths = append(paths, path)
					return err
				}
				if opens(nobody, path) {
					t.Errorf("another user can list %s", path)
				}
				return os.Chmod(path, 0o711) // its own mode is to keep what is below closed, too
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"vault.", ".age", "infisical_sync_state.json", "run", ".login"} {
				if !strings.Contains(kept, name) {
					t.Errorf("no %s was there to be read:%s", name, kept)
				}
			}
			for _, path := range paths {
				if opens(nobody, path) {
					t.Errorf("another user can read %s", path)
				}
			}
			if own := proc(child)[0]; !opens(owner, own) || !opens(0, own) || !opens(owner, h.path("state")) {
				t.Error("nor can its own user")
			}
		})
	}
}

// TestStateDirectoryOfAnotherUser: one that another user has prepared is refused, with
// nothing written into it and no child started.
func TestStateDirectoryOfAnotherUser(t *testing.T) {
	for _, owner := range []int{0, another} {
		t.Run(fmt.Sprint("user ", owner), func(t *testing.T) {
			h := newHouse(t, owner)
			for name, prepare := range map[string]func(dir string) error{
				"the other's":             func(dir string) error { return os.Chown(dir, nobody, nobody) },
				"the other's for all":     func(dir string) error { return errors.Join(os.Chown(dir, nobody, nobody), os.Chmod(dir, 0o777)) },
				"all may write":           func(dir string) error { return errors.Join(os.Chown(dir, owner, owner), os.Chmod(dir, 0o757)) },
				"the other's group's too": func(dir string) error { return errors.Join(os.Chown(dir, owner, nobody), os.Chmod(dir, 0o770)) },
			} {
				dir := filepath.Join(filepath.Dir(h.dir), name)
				link := dir + " by a link"
				if err := errors.Join(os.Mkdir(dir, 0o755), prepare(dir), os.Symlink(dir, link), os.Lchown(link, nobody, nobody)); err != nil {
					t.Fatal(err)
				}
				for _, given := range []string{dir, link} {
					out, err := h.infisync("run", "--once", "--state-dir", given, "--", "echo", "started").CombinedOutput()
					exit, ok := errors.AsType[*exec.ExitError](err)
					if !ok || exit.ExitCode() != statusRun || !bytes.Contains(out, []byte("infisync: error [state-dir]: ")) || bytes.Contains(out, []byte("started")) {
						t.Errorf("%s: %v, %s", given, err, out)
					}
				}
				if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
					t.Errorf("%s: there is %v, %v", name, files, err)
				}
			}
		})
	}
}

// TestNoCoreFile: when infisync crashes, with its credentials in memory, nothing of it
// is written to the disk.
func TestNoCoreFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no other system lets a process forbid it")
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	b := newBench(t, infisicaltest.Options{}, "INFISICAL_URL=http://"+server.Addr().String(), "GOTRACEBACK=crash")
	dumps := func(argv ...string) *exec.Cmd {
		return b.command("sh", append([]string{"-c", `ulimit -c unlimited && exec "$@"`, "sh"}, argv...)...)
	}
	// Where a shell leaves none either, because of the hard limit, there is nothing to see.
	other := dumps("sh", "-c", "kill -QUIT $$")
	other.Run()
	if !other.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
		if os.Getenv("CI") != "" {
			t.Fatal("this machine writes no core files at all")
		}
		t.Skip("this machine writes no core files at all")
	}
	cmd := dumps("infisync", "projects")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil { // it has begun to log in
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.CoreDump() {
		t.Errorf("it ended with %v, want a crash without a core file", cmd.ProcessState)
	}
}

// TestCredentialsLeaveTheEnvironment: a command without an environment of its own,
// as only a mistake would start it, inherits no credential of infisync's.
func TestCredentialsLeaveTheEnvironment(t *testing.T) {
	for _, name := range (config.Credentials{}).Withheld() {
		t.Setenv(name, "canary="+name)
	}
	for _, name := range []string{"INFISICAL_CLIENT_SECRET_FILE", "INFISYNC_CLIENT_SECRET_FILE", "INFISYNC_VAULT_KEY_FILE"} {
		t.Setenv(name, "") // these would have to be there
	}
	a := new(app)
	if status := a.start([]string{"infisync", "status", "--check", "--state-dir", t.TempDir()}); status != statusFailed {
		t.Fatalf("status %d, want %d: nothing was synced", status, statusFailed)
	}
	env, err := exec.Command("env").Output()
	if err != nil {
		t.Fatal(err)
	}
	if left := regexp.MustCompile("(?m)^.*canary=.*$").FindAll(env, -1); len(left) > 0 {
		t.Errorf("inherited: %q", left)
	}
	secret, err := a.settings.Credentials.Secret()
	if err != nil || secret.Reveal() != "canary=INFISICAL_CLIENT_SECRET" {
		t.Errorf("for the next login the client secret is %v, %v", secret, err)
	}
	if !slices.Contains(a.inherited, "INFISICAL_JWT=canary=INFISICAL_JWT") {
		t.Error("a child with --keep-credentials could not be given them")
	}
}

// TestReproducibleBuild: two builds in different folders are the same file. Where
// time allows, the second one has a cache of its own, so that nothing of the first
// is in it.
func TestReproducibleBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program twice")
	}
	t.Parallel()
	patient := os.Getenv("CI") != "" || os.Getenv("INFISYNC_SOAK") != ""
	var sums []string
	for range 2 {
		dir := t.TempDir()
		for _, name := range []string{"source", "inject"} {
			if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(name)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"main.go", "go.mod", "go.sum", "Makefile"} {
			data, err := os.ReadFile(name)
			if err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("make", "build")
		cmd.Dir = dir
		if patient && len(sums) > 0 {
			cmd.Env = append(os.Environ(), "GOCACHE="+t.TempDir())
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make build: %v\n%s", err, out)
		}
		binary, err := os.ReadFile(filepath.Join(dir, "infisync"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(binary, []byte(dir)) {
			t.Fatal("the binary names the folder it was built in")
		}
		sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(binary)))
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %v", sums)
	}
}

// TestLicences: each module that is linked into infisync on any system stands in
// ARCHITECTURE.md with the licence that its own text is of, and no other does.
func TestLicences(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Licences\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := make(map[string]string) // module → licence
	for line := range strings.Lines(section) {
		if module, licence, ok := strings.Cut(strings.Trim(line, "| \n"), " | "); ok && strings.HasPrefix(module, "`") {
			listed[strings.Trim(module, "`")] = licence
		}
	}
	linked := make(map[string]string)
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-tags", "urfave_cli_no_docs", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}`, ".")
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", system, err)
		}
		for line := range strings.Lines(string(out)) {
			if module, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok && linked[module] == "" {
				linked[module] = licenceIn(t, dir)
			}
		}
	}
	if diff := cmp.Diff(linked, listed); diff != "" {
		t.Errorf("licences in ARCHITECTURE.md (-linked +listed):\n%s", diff)
	}
}

// licenceIn tells the licence of the module in dir by what only its text has.
func licenceIn(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "LICEN[CS]E*"))
	if err != nil || len(paths) != 1 {
		t.Errorf("%q has %d licences: %v", dir, len(paths), err)
		return "none"
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, licence := range []struct{ name, mark string }{
		{"Apache-2.0", "Apache License"}, {"MPL-2.0", "Mozilla Public License"},
		{"MIT", "Permission is hereby granted, free of charge"}, {"BSD-3-Clause", "may be used to endorse or promote"},
	} {
		if strings.Contains(strings.Join(strings.Fields(string(text)), " "), licence.mark) {
			return licence.name
		}
	}
	return "unknown"
}

// TestRoundTrip: file → push → sync → export → file is the identity, but for the
// white space that the server trims, which the push reports.
func TestRoundTrip(t *testing.T) {
	b := newBench(t, infisicaltest.Options{})
	random := rand.New(rand.NewPCG(7, 7))
	var secrets []source.Secret
	for len(secrets) < 200 {
		secret := source.Secret{Name: fmt.Sprintf("NAME_%d", len(secrets)), Value: source.NewValue(oddValue(random))}
		// What .env files cannot hold is export's to refuse, which its tests show.
		if export.Write(io.Discard, "dotenv", source.NewSet(secret), export.Options{}) == nil {
			secrets = append(secrets, secret)
		}
	}
	if err := export.WriteFile(b.path("in.env"), "dotenv", source.NewSet(secrets...), export.Options{}); err != nil {
		t.Fatal(err)
	}
	pushed := b.command("infisync-patient", "push", "--from-dotenv", "in.env", "--format", "json")
	text, err := pushed.Output()
	if err != nil {
		t.Fatalf("pushing: %v", err)
	}
	var report struct {
		Secrets []struct {
			Name    string `json:"name"`
			Outcome string `json:"outcome"`
			Trimmed bool   `json:"trimmed"`
		} `json:"secrets"`
	}
	if err := json.Unmarshal(text, &report); err != nil || len(report.Secrets) != 200 {
		t.Fatalf("the push reports %d secrets, %v", len(report.Secrets), err)
	}
	trimmed := make(map[string]bool)
	for _, result := range report.Secrets {
		trimmed[result.Name] = result.Trimmed
		if result.Outcome != "created" {
			t.Errorf("%s: %s", result.Name, result.Outcome)
		}
	}
	for _, args := range [][]string{{"sync"}, {"export", "--start", "vault", "--format", "dotenv", "--output", "out.env"}} {
		if status, stderr := b.run("infisync-patient", args...); status != 0 {
			t.Fatalf("%q: status %d, %s", args, status, stderr)
		}
	}
	got, err := dotenv.File{Path: b.path("out.env")}.Load(t.Context())
	if err != nil || got.Len() != 200 {
		t.Fatalf("read %d secrets back: %v", got.Len(), err)
	}
	cut := 0
	for _, secret := range secrets {
		back, _ := got.Get(secret.Name)
		want := infisical.Normalize(secret.Value)
		if !back.Value.Equal(want) {
			t.Errorf("%s: %q came back as %q, want %q", secret.Name, secret.Value.Reveal(), back.Value.Reveal(), want.Reveal())
		}
		if changed := !want.Equal(secret.Value); changed != trimmed[secret.Name] {
			t.Errorf("%s: trimmed %v, reported %v", secret.Name, changed, trimmed[secret.Name])
		} else if changed {
			cut++
		}
	}
	t.Logf("200 values, %d of them trimmed by the server", cut)
}

// oddValue makes a value of what formats find hard to carry.
func oddValue(random *rand.Rand) string {
	parts := []string{"a", "B7", " ", "\n", "\t", "\r\n", `"`, `'`, "`", `\`, `\n`, "$", "${A}", "$(x)", "#", " # ", "=", "é", "鍵", "🔑", ";", "&", "|", "{}", "%", "!", "-----BEGIN KEY-----\n"}
	var b strings.Builder
	for range random.IntN(12) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

// TestNothingPilesUp: after many polls and restarts infisync holds no more goroutines,
// descriptors, threads and memory than after the first hundred.
func TestNothingPilesUp(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what a process holds is read from /proc")
	}
	polls, restarts := 600, 5
	if os.Getenv("INFISYNC_SOAK") != "" {
		polls, restarts = 10_000, 200
	}
	b := newBench(t, infisicaltest.Options{}, "INFISYNC_DEBOUNCE=0s")
	b.env = append(b.env, "MEASURE="+b.path("measure"))
	b.set("A", "0")
	cmd := b.command("infisync-busy", "run", "--", "child-report", b.path("report"), "A")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := awaitPolls(b, 100)
	for n := range restarts {
		b.set("A", fmt.Sprint(n+1))
		b.await("report", "started", n+2)
		awaitPolls(b, 100+(n+1)*(polls-100)/restarts)
	}
	last := awaitPolls(b, polls)
	t.Logf("after 100 polls %+v, after %d polls and %d restarts %+v", first, polls, restarts, last)
	switch {
	case last.Goroutines > first.Goroutines, last.Descriptors > first.Descriptors:
		t.Errorf("after %d polls and %d restarts it holds %+v, after the first 100 polls %+v", polls, restarts, last, first)
	case last.Threads > first.Threads+2: // the runtime makes one when all others are in a system call, and keeps it
		t.Errorf("it has %d threads, after the first 100 polls %d", last.Threads, first.Threads)
	case last.AnonKiB > first.AnonKiB+2048:
		t.Errorf("it holds %d KiB, after the first 100 polls %d", last.AnonKiB, first.AnonKiB)
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Error(err)
	}
}

// awaitPolls waits for the nth poll and returns what infisync holds then.
func awaitPolls(b *bench, n int) (h held) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.server.Count(infisicaltest.KindLogin) < n {
		<-tick.C
	}
	conn, err := net.Dial("unix", b.path("measure"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	if err := json.NewDecoder(conn).Decode(&h); err != nil {
		b.t.Fatal(err)
	}
	return h
}
