// How many processors there are need not be looked up: main uses one.
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command infisync starts a program with its secrets and keeps them right.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"infisync/inject"
	_ "infisync/inject/stack" // before all that is below
	"infisync/source"
	"infisync/source/config"
	"infisync/source/doctor"
	"infisync/source/export"
	"infisync/source/infisical"
	"infisync/source/metrics"
	"infisync/source/report"
	"infisync/source/state"
	"infisync/source/syncer"
)

// version is set at link time; else the build information tells.
var version string

// versionText is looked up once, and only by who tells it.
var versionText = sync.OnceValue(func() string { return report.Version(version) })

func main() {
	inject.Stage()
	// Best effort: what it keeps from other processes of this user is in SECURITY.md.
	_ = inject.ForbidDumps()
	cli.HelpFlag = config.HelpFlag()
	os.Exit(new(app).start(os.Args))
}

// stay is for a process that remains. What infisync does, it does one after the other:
// several processors would only cost the memory and the threads that come with each.
// Who does not remain loses more by the change than it brings.
func stay() { runtime.GOMAXPROCS(1) }

// An app is one run of the command line.
type app struct {
	log      *slog.Logger
	args     []string
	name     string // of the command that runs, in full, once that is known
	plain    bool   // the command line asks for no help, and makes no mistake in its flags
	settings *config.Settings
	noHelp   error // help was asked for a command that is not there

	inherited []string // the environment that infisync was given, its credentials included

	hook     *inject.Hook    // runs the event command; nil: there is none
	files    inject.Files    // which secrets the child gets as files
	warned   map[string]bool // warnings about environments that were given
	children *state.Children // told of the children, for ps and status; nil: nobody is
	onWait   func()          // see syncer.Options
	metrics  *metrics.Metrics

	// The waits and limits; zero: those infisync runs with.
	clientPolicy infisical.Policy
	syncPolicy   syncer.Policy
}

// start runs the command line and returns the exit status.
func (a *app) start(args []string) int {
	a.args = config.FlagsFirst(args)
	a.log, a.warned = report.New(os.Stderr, "text", "info"), make(map[string]bool)
	err := a.cli().Run(a.args)
	return a.exitCode(cmp.Or(err, a.noHelp))
}

// exitStatus ends infisync with a status and nothing more to say.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// childEnded ends infisync as its child ended.
type childEnded struct{ inject.Status }

func (e childEnded) Error() string { return e.Status.String() }

// The statuses of infisync's own failures.
const (
	statusFailed  = 1
	statusUsage   = 2
	statusDiffers = 2   // of diff
	statusRun     = 125 // `run` leaves the statuses below to the child
)

// exitCode says what went wrong and returns the exit status for it.
func (a *app) exitCode(err error) int {
	var exit exitStatus
	var child childEnded
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &child):
		child.Exit()
	case errors.As(err, &exit):
		return int(exit)
	case err == syncer.ErrDiffers:
		return statusDiffers
	}
	report.Failure(a.log, err, doctor.HintTo(a.name))
	switch {
	case errors.As(err, &coded):
		return coded.ExitCode()
	case a.name == "run":
		return statusRun
	case source.CodeOf(err) == source.CodeUsage, source.CodeOf(err) == source.CodeSecretInArgv:
		return statusUsage
	}
	return statusFailed
}

func (a *app) cli() *cli.App {
	line := cli.App{
		Name:                  "infisync",
		Usage:                 "start a program with its secrets and keep them up to date",
		UsageText:             "infisync run [flags] -- COMMAND [ARGUMENT...]",
		Commands:              a.commands(),
		CustomAppHelpTemplate: config.AppHelpTemplate,
		ExitErrHandler:        func(*cli.Context, error) {}, // the default would end the process here
		OnUsageError:          a.usageError,
		CommandNotFound: func(_ *cli.Context, name string) {
			a.noHelp = config.NoCommand("command", name, a.commands())
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return config.NoCommand("command", c.Args().First(), c.App.Commands)
			}
			return cli.ShowAppHelp(c)
		},
	}
	if line.HideHelp = a.plain; !a.plain {
		line.Version = versionText()
		cli.VersionPrinter = func(*cli.Context) { fmt.Println("infisync", line.Version) }
	}
	return &line
}

// commands is the table of what infisync can do.
func (a *app) commands() []*cli.Command {
	return []*cli.Command{
		a.command("run", config.Run, "start a command with the secrets in its environment, and restart it when they change", a.run),
		a.command("sync", config.Sync, "pull the secrets into the vault; with --watch, again at each interval", alone(a.sync)),
		a.command("push", config.Push, "write secrets to the server", a.source(syncer.Setup.Push)),
		a.command("delete", config.Delete, "delete secrets on the server; the vault keeps them for 30 days", a.source(syncer.Setup.Delete)),
		a.command("projects", config.Projects, "list the projects that the identity can access", alone(a.source(syncer.Setup.Projects))),
		{
			Name: "vault", Usage: "inspect and change the encrypted local store", Category: config.Category("vault"), OnUsageError: a.usageError, HideHelpCommand: true,
			CustomHelpTemplate: config.VaultHelpTemplate,
			Action: func(c *cli.Context) error {
				a.name = "vault"
				if c.Args().Present() {
					return config.NoCommand("vault command", c.Args().First(), c.Command.Subcommands)
				}
				return cli.ShowSubcommandHelp(c)
			},
			Subcommands: []*cli.Command{
				a.command("set", config.VaultSet, "store a local value, read from standard input or a hidden prompt", a.source(syncer.Setup.VaultSet)),
				a.command("get", config.VaultGet, "print a value", a.source(syncer.Setup.VaultGet)),
				a.command("list", config.VaultList, "list the vault's contents, without values", alone(a.source(syncer.Setup.VaultList))),
				a.command("delete", config.VaultDelete, "delete values from the vault", a.source(syncer.Setup.VaultDelete)),
				a.command("restore", config.VaultRestore, "restore deleted values as local ones", a.source(syncer.Setup.VaultRestore)),
				a.command("key", config.VaultKey, "print the age identity that opens the vault", alone(a.source(syncer.Setup.VaultKey))),
				a.command("rekey", config.VaultRekey, "move the values of an old key's vault into the current one", alone(a.source(syncer.Setup.VaultRekey))),
			},
		},
		a.command("export", config.Export, "write the secrets in a format that other programs read", alone(a.source(syncer.Setup.Export))),
		a.command("diff", config.Diff, "compare the server with the vault, or with a .env file; exit with 2 if they differ", a.source(syncer.Setup.Diff)),
		a.command("explain", config.Explain, "show where a variable comes from and what it hides, or what an error code means", a.source(syncer.Setup.ExplainName)),
		a.command("ps", config.Ps, "list the running infisync processes and their children", alone(a.source(syncer.Setup.Processes))),
		a.command("status", config.Status, "show when each scope was last synced, and which processes use it", alone(a.source(syncer.Setup.Status))),
		a.command("doctor", config.Doctor, "run a checklist from the URL to the permissions, and say how to fix what fails", alone(a.doctor)),
		a.command("init", config.Init, "write .infisync.yaml for this folder; asks on a terminal", alone(a.source(syncer.Setup.Init))),
		a.command("graph", config.Graph, "query the knowledge graph of the secrets' metadata", alone(a.source(syncer.Setup.Graph))),
		a.command("completion", 0, "print a completion script for bash, zsh or fish", a.completion),
		a.command("man", 0, "print the manual page", alone(a.man)),
		a.command("version", config.About, "print the version", alone(a.version)),
	}
}

// command is a command that takes settings: it reads them first, and then does its
// action with the arguments that are left.
func (a *app) command(name string, set config.Command, usage string, action func(context.Context, []string) error) *cli.Command {
	given := make(config.Given)
	var flags []cli.Flag
	var help, uses string
	if slices.Contains(a.args, name) { // the others' flags would only cost time
		var all bool
		if flags, all = config.Flags(set, given, a.args); all {
			help, uses = config.HelpTemplate(), "[flags] "+config.Examples(config.FullName(set, name))
		}
		a.plain = !all
	}
	return &cli.Command{
		Name: name, Usage: usage, UsageText: uses, Category: config.Category(name),
		Flags: flags, OnUsageError: a.usageError, HideHelp: a.plain, HideHelpCommand: true,
		CustomHelpTemplate: help,
		Action: func(c *cli.Context) error {
			a.name = config.FullName(set, name)
			if err := a.load(set, given); err != nil {
				return err
			}
			return action(c.Context, c.Args().Slice())
		},
	}
}

// documented are all commands with all their flags.
func documented() []*cli.Command {
	all := &app{args: []string{"infisync", "help"}}
	for _, c := range all.commands() {
		all.args = append(all.args, c.Name)
		for _, below := range c.Subcommands {
			all.args = append(all.args, below.Name)
		}
	}
	return all.commands()
}

// source is the action of a command that only source has a part in.
func (a *app) source(action func(syncer.Setup, context.Context, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error { return action(a.setup(), ctx, args) }
}

// alone is an action that takes no arguments.
func alone(action func(context.Context, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			return source.Errorf(source.CodeUsage, "this command takes no arguments, got %q", args[0])
		}
		return action(ctx, args)
	}
}

// load reads the settings and from then on logs as they say.
func (a *app) load(set config.Command, given config.Given) error {
	if set&^config.About == 0 { // what tells of infisync itself works whatever is set
		a.settings = &config.Settings{Format: strings.Join(given["format"], "")}
		return nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return source.Errorf(source.CodeConfigInvalid, "finding the working directory: %w", err)
	}
	if a.settings, err = config.Load(set, given, os.LookupEnv, dir); err != nil {
		return err
	}
	a.inherited = os.Environ()
	a.settings.Credentials.Unset()
	a.log = report.New(os.Stderr, a.settings.LogFormat, a.settings.LogLevel)
	for _, notice := range a.settings.Notices {
		a.log.Warn(notice)
	}
	if set&(config.Doctor|config.Ps|config.Status|config.Graph|config.Explain|config.Init) != 0 {
		return nil // these look at settings that cannot work, or need none
	}
	return a.settings.Check()
}

// usageError puts the flag parser's words into infisync's own.
func (a *app) usageError(c *cli.Context, err error, _ bool) error {
	if c.Command != nil {
		a.name = strings.TrimPrefix(strings.TrimPrefix(c.Command.HelpName, c.App.Name), " ")
	}
	return config.UsageError(err, c.Command)
}

// run starts the command and keeps it running with the newest secrets.
func (a *app) run(ctx context.Context, argv []string) error {
	if len(argv) == 0 {
		return source.Errorf(inject.CodeNoCommand, "no command to run was given")
	}
	supervisor, err := a.supervisor(argv)
	if err != nil {
		return err
	}
	signals := new(inject.Signals)
	if a.settings.Exec {
		a.onWait = func() { stay(); signals.CatchStops() }
		if os.Getpid() == 1 { // which the kernel protects from what is not caught
			signals.CatchStops()
		}
	} else {
		stay()
		signals = inject.CatchSignals()
		supervisor.Signals, supervisor.Reaper = signals, inject.NewReaper()
		defer supervisor.Reaper.Close()
	}
	starting, cancel := signals.Context(ctx)
	defer cancel()
	closeHook, err := a.openHook(supervisor.Reaper)
	if err != nil {
		return err
	}
	defer closeHook()
	if a.metrics, err = a.setup().OpenMetrics(versionText(), true); err != nil {
		return err
	}
	defer a.metrics.Close()

	state.SweepGone(a.stateDir())
	keeper, err := a.keeper()
	if err != nil {
		return err
	}
	snapshot, err := keeper.Start(starting)
	if err := cmp.Or(signals.Stopped(), err); err != nil {
		return err
	}
	if a.settings.Exec {
		return a.exec(keeper, supervisor.Command, snapshot, signals)
	}
	watches := !a.settings.Once && snapshot.From != syncer.FromInherited
	registration := keeper.Register(keeper.Entry(supervisor.Command.String(), watches))
	defer registration.Remove()
	a.children, supervisor.OnFiles = registration.Children(), registration.KeepFiles
	env, err := a.environment(snapshot, a.log)
	if err != nil {
		return err
	}
	var updates <-chan inject.Env
	if watches {
		watching, stop := context.WithCancel(ctx)
		updates = a.environments(keeper.Watch(watching))
		defer func() {
			stop()
			for range updates { // until the watch has written what it began to write
			}
		}()
	}
	status, err := supervisor.Run(ctx, env, updates)
	if err != nil {
		return err
	}
	return childEnded{status}
}

// exec becomes the command.
func (a *app) exec(keeper *syncer.Syncer, command inject.Command, snapshot syncer.Snapshot, signals *inject.Signals) error {
	env, err := a.environment(snapshot, a.log)
	if err != nil {
		return err
	}
	entry := keeper.Entry(command.String(), false)
	entry.Child, entry.Since, entry.Digest = os.Getpid(), time.Now(), snapshot.Hasher.Digest(snapshot.Secrets)
	registration := keeper.Register(entry)
	defer registration.Remove()
	signals.Release()
	if err := signals.Stopped(); err != nil {
		return err
	}
	return inject.Exec(command, env)
}

// environments maps snapshots to environments. One that cannot be an environment
// is said and passed over: the child keeps what it has.
func (a *app) environments(snapshots <-chan syncer.Snapshot) <-chan inject.Env {
	out := make(chan inject.Env)
	go func() {
		defer close(out)
		for snapshot := range snapshots {
			env, err := a.environment(snapshot, a.log)
			if err != nil {
				a.metrics.Erred(source.CodeOf(err))
				a.log.Warn(fmt.Sprintf("the child keeps its secrets: %v", err), "code", string(source.CodeOf(err)))
				continue
			}
			out <- env
		}
	}()
	return out
}

// environment builds what a child gets of a snapshot.
func (a *app) environment(snapshot syncer.Snapshot, log *slog.Logger) (inject.Env, error) {
	s := a.settings
	if snapshot.From == syncer.FromInherited {
		env, _, err := inject.Build(a.inherited, nil, inject.Policy{Files: a.files})
		return env, err
	}
	var layers []inject.Layer
	for _, layer := range snapshot.Layers(s.EnvFileMode) {
		layers = append(layers, inject.Layer{Origin: origins[layer.Kind], Vars: vars(layer.Set)})
	}
	env, warnings, err := inject.Build(a.inherited, layers, a.policy())
	for _, warning := range warnings {
		if !a.warned[warning.Text] { // not again at each change
			a.warned[warning.Text] = true
			log.Warn(warning.Text)
		}
	}
	switch {
	case err != nil:
		a.children.Refused()
		a.metrics.Refused()
	case a.children != nil || a.metrics != nil:
		a.children.Built(env.Digest(), snapshot.Hasher.Digest(snapshot.Secrets))
		a.metrics.Built(env.Digest(), snapshot.Pulled)
	}
	return env, err
}

// onEvent has the supervisor's events noted in the register and in the metrics, and
// told to the event command.
func (a *app) onEvent(e inject.Event) {
	switch e.Kind {
	case inject.EventStarted:
		a.children.Started(e.PID, e.Digest)
		a.metrics.Started(e.PID, e.Digest)
	case inject.EventHealthy:
		a.children.Serves(e.PID)
		a.metrics.Healthy(e.PID)
	case inject.EventUnhealthy:
		a.metrics.Unhealthy(e.PID)
	case inject.EventGiven:
		a.children.Given(e.PID, e.Digest)
		a.metrics.Given(e.PID, e.Digest)
	case inject.EventEnded:
		a.children.Ended(e.PID)
		a.metrics.Ended(e.PID)
	case inject.EventQuarantined, inject.EventReleased:
		a.children.Quarantined(e.Kind == inject.EventQuarantined)
		a.metrics.Quarantined(e.Kind == inject.EventQuarantined)
	case inject.EventWaiting:
		a.metrics.Waiting()
	case inject.EventStopping:
		a.metrics.Stopping()
	case inject.EventRestarting:
		a.metrics.Replacing()
		a.tell(syncer.Event{Event: syncer.EventRestarted, Time: time.Now().UTC(), Changes: &syncer.EventChanges{
			New: e.Changes.Added, Changed: e.Changes.Changed, Gone: e.Changes.Removed}})
	case inject.EventRolledBack:
		a.metrics.RolledBack()
		a.tell(syncer.Event{Event: syncer.EventRolledBack, Time: time.Now().UTC()})
	}
}

// openHook makes the event command ready, if there is one and a reaper that can wait for
// it: with --exec nobody stays to do so, and reaper is nil. The command gets the
// inherited environment without infisync's credentials.
func (a *app) openHook(reaper *inject.Reaper) (done func(), err error) {
	argv := strings.Fields(a.settings.OnEvent)
	if len(argv) == 0 || reaper == nil {
		return func() {}, nil
	}
	env, _, err := inject.Build(a.inherited, nil, inject.Policy{Strip: a.settings.Credentials.Withheld()})
	if err != nil {
		return nil, err
	}
	a.hook = inject.NewHook(reaper, inject.Command{Argv: argv}, env, a.log)
	return a.hook.Close, nil
}

func (a *app) tell(event syncer.Event) {
	if a.hook == nil {
		return
	}
	if text, err := json.Marshal(event); err == nil {
		a.hook.Send(append(text, '\n'))
	}
}

var origins = map[syncer.Kind]inject.Origin{
	syncer.KindServer: inject.Server, syncer.KindDotenv: inject.Dotenv, syncer.KindLocal: inject.Local,
}

// policy is what the settings let a child have.
func (a *app) policy() inject.Policy {
	s := a.settings
	return inject.Policy{
		Preserve: s.PreserveAll, PreserveNames: s.PreserveNames, Pristine: s.Pristine,
		Only: s.Only, Except: s.Except, Prefix: s.Prefix, Rename: s.Rename, Allow: s.Allow,
		Strip: s.Credentials.Withheld(), Keep: s.KeepCreds,
		Extra: []inject.Var{inject.NewVar(config.NestedVariable, "1")}, Files: a.files,
	}
}

func vars(set source.Set) []inject.Var {
	out := make([]inject.Var, 0, set.Len())
	for secret := range set.All() {
		out = append(out, inject.NewVar(secret.Name, secret.Value.Reveal()))
	}
	return out
}

// readFiles reads which secrets are for files. A child does not get these settings: an
// infisync that it runs would write the same files.
func (a *app) readFiles() (err error) {
	s := a.settings
	if _, err = inject.ParseFiles(s.SecretFiles, ""); err != nil {
		return s.Refuse("file", err, "NAME=PATH[:MODE], each with a name and a path of its own and an octal mode between 0400 and 0644")
	}
	if a.files, err = inject.ParseFiles(s.SecretFiles, s.FileAll); err != nil {
		return s.Refuse("file-all", err, "PATH[:MODE], with a path of its own and an octal mode between 0400 and 0644")
	}
	a.files.Keep, a.files.Replace, a.files.Render = s.FileEnv, s.FileReplace, export.Renderer(s.FileFormat, export.Options{})
	a.inherited = slices.DeleteFunc(a.inherited, func(entry string) bool {
		return strings.HasPrefix(entry, "INFISYNC_FILE=") || strings.HasPrefix(entry, "INFISYNC_FILE_ALL=")
	})
	return nil
}

// supervisor builds the supervisor that the settings describe.
func (a *app) supervisor(argv []string) (*inject.Supervisor, error) {
	s := a.settings
	stop, err := inject.ParseSignal(s.StopSignal)
	if err != nil {
		return nil, s.Refuse("stop-signal", err, "a signal")
	}
	change, err := inject.ParseOnChange(s.OnChange)
	if err != nil {
		return nil, s.Refuse("on-change", err, "restart, exit, none or signal:NAME, or several as GLOB=ACTION,...")
	}
	if err := a.readFiles(); err != nil {
		return nil, err
	}
	rewrite, err := inject.ParseRewrite(s.Rewrite)
	if err != nil {
		return nil, s.Refuse("rewrite", err, "FROM=TO with two signals, or FROM=")
	}
	if checks := slices.DeleteFunc([]string{s.HealthCmd, s.HealthHTTP, s.HealthTCP}, func(s string) bool { return s == "" }); len(checks) > 1 {
		return nil, source.Errorf(source.CodeUsage, "more than one of --health-cmd, --health-http and --health-tcp: choose one")
	}
	if s.Overlap && (s.HealthCmd != "" || s.HealthHTTP != "" || s.HealthTCP != "") {
		return nil, source.Errorf(source.CodeUsage, "--overlap and a health check together: a check could not tell which child it reaches; use READY=1 or --ready-after")
	}
	return &inject.Supervisor{
		Command: inject.Command{Argv: argv}, Log: a.log, OnEvent: a.onEvent,
		Rewrite: rewrite, SignalScope: inject.SignalScope(s.SignalScope),
		StopSignal: stop, StopTimeout: s.StopTimeout, KillAfter: s.KillAfter, KillLeftovers: s.KillLeftovers,
		OnChange: change, Debounce: s.Debounce, Splay: s.Splay,
		Restart: inject.RestartPolicy(s.Restart), BackoffMin: 500 * time.Millisecond, BackoffMax: 30 * time.Second,
		Probation: s.Probation, Quarantine: s.Quarantine, NoRollback: !s.Rollback,
		Health: inject.Health{
			Command: inject.Command{Argv: strings.Fields(s.HealthCmd)},
			HTTP:    s.HealthHTTP, TCP: s.HealthTCP, Timeout: s.HealthTimeout,
		},
		Listen: s.Listen, Overlap: s.Overlap, ReadyAfter: s.ReadyAfter, ReadyTimeout: s.ReadyTimeout,
		NotifySocket: os.Getenv("NOTIFY_SOCKET"), WatchdogEvery: inject.WatchdogEvery(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")),
	}, nil
}

// sync pulls into the vault, once or for as long as it is left running.
func (a *app) sync(ctx context.Context, _ []string) error {
	stay()
	signals := inject.CatchSignals()
	defer signals.Release()
	ctx, cancel := signals.Context(ctx)
	defer cancel()
	reaper := inject.NewReaper()
	defer reaper.Close()
	closeHook, err := a.openHook(reaper)
	if err != nil {
		return err
	}
	defer closeHook()
	if a.metrics, err = a.setup().OpenMetrics(versionText(), false); err != nil {
		return err
	}
	defer a.metrics.Close()
	opt, err := a.options()
	if err != nil {
		return err
	}
	keepers, err := syncer.Each(ctx, opt, a.settings.Watch)
	if err == nil {
		err = syncer.SyncAll(ctx, keepers, a.settings.Watch, func(r syncer.SyncReport) error { return r.Write(os.Stdout, a.setup().Format("text")) })
	}
	if a.settings.Watch && (err == nil || signals.Stopped() != nil) {
		return nil // to be stopped is how it ends
	}
	return cmp.Or(signals.Stopped(), err)
}

func (a *app) doctor(ctx context.Context, _ []string) error {
	if err := a.readFiles(); err != nil {
		return err
	}
	s, setup := a.settings, a.setup()
	in := doctor.Input{Settings: s, Login: setup.Login(), StateDir: a.stateDir(), Args: os.Args, Environ: a.inherited, Judge: a.judge}
	in.Client, in.ClientErr = setup.NewClient()
	in.Key, in.KeyErr = setup.Key()
	r := doctor.Run(ctx, in)
	write := r.WriteText
	if a.setup().Format("text") == "json" {
		write = r.WriteJSON
	}
	if err := write(os.Stdout); err != nil || !r.Failed() {
		return err
	}
	return exitStatus(statusFailed)
}

func (a *app) completion(_ context.Context, args []string) error {
	return config.WriteCompletion(os.Stdout, args, documented(), doctor.Rows())
}

func (a *app) man(context.Context, []string) error {
	return config.WriteMan(os.Stdout, versionText(), documented(), doctor.Rows())
}

func (a *app) version(context.Context, []string) error {
	return report.WriteVersion(os.Stdout, version, a.setup().Format("text"))
}

// judge tells what a child would make of a secret; empty: it would get it.
func (a *app) judge(secret source.Secret) source.Code {
	return source.Code(inject.Judge(inject.NewVar(secret.Name, secret.Value.Reveal()), a.policy()))
}

// setup is what the settings make options, clients and keys of.
func (a *app) setup() syncer.Setup {
	return syncer.Setup{
		Settings: a.settings, Env: os.LookupEnv, Agent: "infisync/" + versionText(),
		Client: a.clientPolicy, Policy: a.syncPolicy, Log: a.log, OnEvent: a.tell, Idle: inject.Idle, Metrics: a.metrics, OnWait: a.onWait,
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}
}

func (a *app) options() (syncer.Options, error) { return a.setup().Options() }

func (a *app) keeper() (*syncer.Syncer, error) {
	opt, err := a.options()
	if err != nil {
		return nil, err
	}
	return syncer.New(opt), nil
}

func (a *app) stateDir() string { return a.settings.StateDirectory(os.LookupEnv) }
