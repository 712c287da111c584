// Command infisync starts a program with its secrets and keeps them right.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"infisync/inject"
	"infisync/source"
	"infisync/source/config"
	"infisync/source/doctor"
	"infisync/source/infisical"
	"infisync/source/report"
	"infisync/source/syncer"
	"infisync/source/vault"
)

// version is set at link time; else the build information tells.
var version string

func main() { os.Exit(new(app).start(os.Args)) }

// An app is one run of the command line.
type app struct {
	log      *slog.Logger
	command  string // the command that runs, once that is known
	settings *config.Settings

	// The waits and limits; zero: those infisync runs with.
	clientPolicy infisical.Policy
	syncPolicy   syncer.Policy
}

// start runs the command line and returns the exit status.
func (a *app) start(args []string) int {
	a.log = report.New(os.Stderr, "text", "info")
	return a.status(a.cli().Run(args))
}

// exitStatus ends infisync with a status and nothing more to say.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// The statuses of infisync's own failures.
const (
	statusFailed = 1
	statusUsage  = 2
	statusRun    = 125 // `run` leaves the statuses below to the child
)

// status says what went wrong and returns the exit status for it.
func (a *app) status(err error) int {
	var exit exitStatus
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	}
	report.Failure(a.log, err, doctor.Hint(err))
	switch {
	case errors.As(err, &coded):
		return coded.ExitCode()
	case a.command == "run":
		return statusRun
	case source.CodeOf(err) == source.CodeUsage:
		return statusUsage
	}
	return statusFailed
}

func (a *app) cli() *cli.App {
	return &cli.App{
		Name:           "infisync",
		Usage:          "start a program with its secrets and keep them right",
		UsageText:      "infisync run [flags] -- COMMAND [ARGUMENT...]",
		Version:        buildVersion(),
		Commands:       a.commands(),
		ExitErrHandler: func(*cli.Context, error) {}, // the default would end the process here
		OnUsageError:   a.usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return source.Errorf(source.CodeUsage, "there is no command %q", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// commands is the table of what infisync can do.
func (a *app) commands() []*cli.Command {
	return []*cli.Command{
		a.pulling(config.Run, &cli.Command{
			Name:      "run",
			Usage:     "start a command with the secrets in its environment, and again when they change",
			UsageText: "infisync run [flags] -- COMMAND [ARGUMENT...]\n\n" + runExamples,
		}, a.run),
		a.pulling(config.Sync, &cli.Command{
			Name:      "sync",
			Usage:     "pull the secrets into the vault; with --watch, again at each interval",
			UsageText: "infisync sync [flags]\n\n" + syncExamples,
		}, a.sync),
		{
			Name:         "explain",
			Usage:        "tell the cause and the remedy of an error code",
			ArgsUsage:    "CODE",
			OnUsageError: a.usageError,
			Action:       explain,
		},
		{
			Name:         "version",
			Usage:        "print the version",
			OnUsageError: a.usageError,
			Action: func(c *cli.Context) error {
				_, err := fmt.Fprintln(c.App.Writer, "infisync", buildVersion())
				return err
			},
		},
	}
}

// pulling completes a command that takes settings: its flags, and an action that
// reads them first.
func (a *app) pulling(set config.Command, command *cli.Command, action func(context.Context, []string) error) *cli.Command {
	given := make(config.Given)
	command.Flags = config.Flags(set, given)
	command.OnUsageError = a.usageError
	command.HideHelpCommand = true
	command.Action = func(c *cli.Context) error {
		a.command = command.Name
		if err := a.load(set, given); err != nil {
			return err
		}
		return action(c.Context, c.Args().Slice())
	}
	return command
}

// load reads the settings and from then on logs as they say.
func (a *app) load(set config.Command, given config.Given) error {
	dir, err := os.Getwd()
	if err != nil {
		return source.Errorf(source.CodeConfigInvalid, "finding the working directory: %w", err)
	}
	if a.settings, err = config.Load(set, given, os.LookupEnv, dir); err != nil {
		return err
	}
	a.log = report.New(os.Stderr, a.settings.LogFormat, a.settings.LogLevel)
	for _, notice := range a.settings.Notices {
		a.log.Warn(notice)
	}
	return a.settings.Check()
}

// usageError puts the flag parser's words into infisync's own.
func (a *app) usageError(c *cli.Context, err error, _ bool) error {
	if c.Command != nil {
		a.command = c.Command.Name
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = "there is no flag --" + strings.TrimPrefix(name, "-")
		if similar := cli.SuggestFlag(c.Command.Flags, strings.TrimPrefix(name, "-"), false); similar != "" {
			text += ", did you mean " + similar + "?"
		}
	} else if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		text = "--" + strings.TrimPrefix(name, "-") + " needs a value"
	}
	return source.Errorf(source.CodeUsage, "%s", text)
}

// run starts the command and keeps it running with the newest secrets.
func (a *app) run(ctx context.Context, argv []string) error {
	if len(argv) == 0 {
		return source.Errorf(source.CodeUsage, "no command to run was given, as in: infisync run -- ./app")
	}
	supervisor, err := a.supervisor(argv)
	if err != nil {
		return err
	}
	signals := inject.CatchSignals()
	supervisor.Signals = signals
	starting, cancel := signals.Context(ctx)
	defer cancel()

	keeper, err := a.syncer()
	if err != nil {
		return err
	}
	snapshot, err := keeper.Start(starting)
	if err := cmp.Or(signals.Stopped(), err); err != nil {
		return err
	}
	env, err := a.environment(snapshot, a.log)
	if err != nil {
		return err
	}
	if a.settings.Exec {
		signals.Release()
		return inject.Exec(supervisor.Command, env)
	}
	var updates <-chan inject.Env
	if !a.settings.Once && snapshot.From != syncer.FromInherited {
		watching, stop := context.WithCancel(ctx)
		defer stop()
		updates = a.environments(keeper.Watch(watching))
	}
	status, err := supervisor.Run(ctx, env, updates)
	if err != nil {
		return err
	}
	return exitStatus(status.Code)
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
		env, _, err := inject.Build(os.Environ(), nil, inject.Policy{})
		return env, err
	}
	secrets := inject.Layer{Origin: inject.Server, Vars: vars(snapshot.Secrets)}
	dotenv := inject.Layer{Origin: inject.Dotenv, Vars: vars(snapshot.Dotenv)}
	layers := []inject.Layer{{Origin: inject.Local, Vars: vars(snapshot.Local)}}
	switch {
	case snapshot.From == syncer.FromDotenv:
		layers = append(layers, dotenv)
	case s.EnvFileMode == "base":
		layers = append(layers, dotenv, secrets)
	case s.EnvFileMode == "override":
		layers = append(layers, secrets, dotenv)
	default:
		layers = append(layers, secrets)
	}
	env, warnings, err := inject.Build(os.Environ(), layers, inject.Policy{
		Preserve: s.PreserveAll, PreserveNames: s.PreserveNames, Pristine: s.Pristine,
		Only: s.Only, Except: s.Except, Prefix: s.Prefix, Rename: s.Rename, Allow: s.Allow,
		Strip: s.Credentials.Withheld(), Keep: s.KeepCreds,
		Extra: []inject.Var{inject.NewVar(config.NestedVariable, "1")},
	})
	for _, warning := range warnings {
		log.Warn(warning.Text)
	}
	return env, err
}

func vars(set source.Set) []inject.Var {
	out := make([]inject.Var, 0, set.Len())
	for secret := range set.All() {
		out = append(out, inject.NewVar(secret.Name, secret.Value.Reveal()))
	}
	return out
}

// supervisor builds the supervisor that the settings describe.
func (a *app) supervisor(argv []string) (*inject.Supervisor, error) {
	s := a.settings
	stop, err := inject.ParseSignal(s.StopSignal)
	if err != nil {
		return nil, source.Errorf(source.CodeUsage, "%s: %w", s.Origin("stop-signal"), err)
	}
	change, err := a.onChange()
	if err != nil {
		return nil, err
	}
	return &inject.Supervisor{
		Command:     inject.Command{Argv: argv},
		Log:         a.log,
		StopSignal:  stop,
		StopTimeout: s.StopTimeout,
		KillAfter:   s.KillAfter,
		OnChange:    change,
		Debounce:    s.Debounce,
		Splay:       s.Splay,
		NoRollback:  true,
	}, nil
}

func (a *app) onChange() (inject.OnChange, error) {
	name, isSignal := strings.CutPrefix(a.settings.OnChange, "signal:")
	if isSignal {
		sig, err := inject.ParseSignal(name)
		if err != nil {
			return inject.OnChange{}, source.Errorf(source.CodeUsage, "%s: %w", a.settings.Origin("on-change"), err)
		}
		return inject.OnChange{Action: inject.ChangeSignal, Signal: sig}, nil
	}
	action := inject.ChangeAction(a.settings.OnChange)
	if action == "restart" {
		action = inject.ChangeRestart
	}
	return inject.OnChange{Action: action}, nil
}

// sync pulls into the vault, once or for as long as it is left running.
func (a *app) sync(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return source.Errorf(source.CodeUsage, "sync takes no argument %q", args[0])
	}
	if !a.settings.Configured() {
		return source.Errorf(source.CodeNothingConfigured, "no server is configured: there is nothing to pull")
	}
	signals := inject.CatchSignals()
	defer signals.Release()
	ctx, cancel := signals.Context(ctx)
	defer cancel()
	keeper, err := a.syncer()
	if err != nil {
		return err
	}
	snapshot, err := keeper.Start(ctx)
	if err := cmp.Or(signals.Stopped(), err); err != nil {
		return err
	}
	if a.settings.Watch {
		for range keeper.Watch(ctx) {
			a.log.Info("pulled a change")
		}
		return nil
	}
	a.log.Info(fmt.Sprintf("pulled %d secrets", snapshot.Secrets.Len()))
	return nil
}

// syncer builds the syncer that the settings describe.
func (a *app) syncer() (*syncer.Syncer, error) {
	s := a.settings
	places, err := s.Places()
	if err != nil {
		return nil, err
	}
	opt := syncer.Options{
		Known:        source.Scope{Places: places, Recursive: s.Recursive, Imports: s.Imports, Expand: s.Expand},
		AllProjects:  s.AllProjects,
		AllowEmpty:   s.AllowEmpty,
		ReuseToken:   s.ReuseToken,
		WithLocal:    s.WithLocal,
		Start:        s.Start,
		Fallback:     s.Fallback,
		MaxStale:     s.MaxStale,
		StartTimeout: s.StartTimeout,
		Interval:     s.Interval,
		Credential:   s.Credential,
		EnvFiles:     syncer.EnvFiles{Paths: s.EnvFiles, Named: s.Given("env-file"), Mode: s.EnvFileMode},
		Nested:       s.Nested,
		StateDir:     s.StateDirectory(os.LookupEnv),
		Policy:       a.syncPolicy,
		Log:          a.log,
	}
	if len(s.EnvFiles) == 0 {
		opt.EnvFiles.Paths = []string{".env"}
	}
	if !s.Configured() && !s.Given("fallback") {
		opt.Fallback = source.Fallback{Dotenv: true}
	}
	if s.Configured() || s.Start == "offline" {
		if opt.Key, err = a.vaultKey(); err != nil {
			return nil, err
		}
	}
	if s.Configured() && s.Start != "offline" {
		login := a.login()
		if opt.Client, err = a.client(login); err != nil {
			return nil, err
		}
		opt.Known.URL, opt.Known.Method, opt.Known.Identity = opt.Client.URL(), login.Method(), login.Identity()
	}
	return syncer.New(opt), nil
}

// login is how the settings log in: with client id and secret if there are any.
func (a *app) login() infisical.Login {
	s := a.settings
	if s.UniversalAuth() {
		return infisical.UniversalAuth{ClientID: s.ClientID, Secret: s.Credentials.Secret}
	}
	return infisical.Token{Read: s.Credentials.Token}
}

// client builds the client that the settings describe.
func (a *app) client(login infisical.Login) (*infisical.Client, error) {
	s := a.settings
	return infisical.New(infisical.Config{
		URL: s.URL, AllowHTTP: s.AllowHTTP, CAFile: s.CAFile,
		UserAgent: "infisync/" + buildVersion(), Login: login, Log: a.log, Policy: a.clientPolicy,
	})
}

// vaultKey finds the key of the vault: a file, else derived from the client
// secret. Without any the zero Key is returned, and said: there is no vault then.
func (a *app) vaultKey() (vault.Key, error) {
	s := a.settings
	var key vault.Key
	var text source.Value
	var err error
	switch {
	case s.Credentials.HasVaultKey():
		if text, err = s.Credentials.VaultKey(); err == nil {
			key, err = vault.ParseKey(text)
		}
	case s.Credentials.HasSecret():
		if text, err = s.Credentials.Secret(); err == nil {
			key, err = vault.DeriveKey(text)
		}
		if source.CodeOf(err) == source.CodeVaultNoKey && s.Start != "offline" {
			a.log.Info(fmt.Sprintf("running without a vault: %v", err))
			return vault.Key{}, nil
		}
	case s.Start != "offline":
		a.log.Info("running without a vault: with a ready token its key must be given by --vault-key-file")
	}
	if err != nil || key.IsZero() {
		return vault.Key{}, err
	}
	return key.WithRecipients(s.Recipients...)
}

func explain(c *cli.Context) error {
	if c.Args().Len() != 1 {
		return source.Errorf(source.CodeUsage, "explain takes one error code, as in: infisync explain login-refused")
	}
	return doctor.WriteEntry(c.App.Writer, source.Code(c.Args().First()))
}

// buildVersion is the version set at link time, else the module's, else the
// revision the program was built from.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

const runExamples = `Examples:
   infisync run --env prod -- ./server
   infisync run --exec -- ./migrate up        become the command; nothing is watched
   infisync run --start offline -- ./worker   follow the vault that "sync --watch" keeps`

const syncExamples = `Examples:
   infisync sync --env prod            pull once, so that a later start can do without the server
   infisync sync --env prod --watch    keep the vault for "run --start offline" processes`
