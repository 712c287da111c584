// Package inject says what a child sees and how it lives: its environment, its
// start, the signals it gets, how it is stopped, replaced and waited for.
//
// # What a child sees
//
// [Build] makes an [Env] of the inherited environment and of [Layer]s of
// variables, as a [Policy] says. An Env prints names only; [Env.Digest] tells
// two of them apart, and [Diff] names what differs.
//
//	env, warnings, err := inject.Build(os.Environ(), []inject.Layer{
//		{Origin: inject.Server, Vars: []inject.Var{inject.NewVar("DATABASE_URL", url)}},
//	}, inject.Policy{Extra: []inject.Var{inject.NewVar("INFISYNC_RUN", "1")}})
//
// With [Files] some variables, or all, are in files instead. They are part of the
// Env and of its digest, and the Supervisor writes and removes them.
//
// # How it lives
//
// Either [Exec] makes this process become the command, or a [Supervisor] keeps
// one child running and replaces it when its environment changes:
//
//	inject.Stage()                                     // first thing in main: it may not return
//	signals := inject.CatchSignals()                   // at once: none is lost from here on
//	ctx, cancel := signals.Context(context.Background()) // ends when a stop comes before the child
//	…
//	s := inject.Supervisor{Command: inject.Command{Argv: argv}, Signals: signals, …}
//	status, err := s.Run(context.Background(), env, updates)
//	status.Exit()
//
// What can go wrong before a child runs is an [*Error] with a stable code and
// the exit status that goes with it. How a child ended is a [Status].
//
// # One way to start, one way to wait
//
// Everything that is started goes through a [Reaper], which alone waits for
// processes. Nothing else in a program that has one may use os/exec.
//
// # What differs between systems
//
// Go's runtime decides some of it: descriptors 0 to 2 are /dev/null in the child
// if they were closed; of ignored signals only HUP and INT stay so; HUP, INT, TERM
// and those that it needs itself are unblocked; PIPE, PROF, URG and the signals 32
// to 34 are not passed on. Otherwise the child gets what this program got:
// descriptors, limits, umask, nice value, working directory, argv and environment
// byte for byte.
//
// On Linux the child gets TERM when this program is killed, and orphaned
// descendants are waited for. Other unix systems have neither. On windows there
// are no signals, no process groups and no inherited sockets: to be stopped or
// replaced is to be ended at once.
package inject
