package inject

import (
	"context"
	"log/slog"
	"syscall"
	"time"
)

// A Supervisor keeps one child running with the newest environment. Its fields
// are read by [Supervisor.Run] and must not be modified while it runs. The zero
// value of each is written beside it; what infisync sets by default is in
// brackets.
type Supervisor struct {
	Command Command
	Signals *Signals     // nil: Run catches signals itself, from its beginning on
	Reaper  *Reaper      // nil: Run makes its own
	Log     *slog.Logger // nil: nothing is logged. Names of variables are logged, never values.
	OnEvent func(Event)  // called for each transition, from Run's goroutine: it must not block; nil: none

	// OnFiles is told of the files that Run has put on a file system or is about to,
	// each time they become others: paths, and the times at which each may have been
	// written; none of these: at any. With it somebody can remove them if this
	// process is killed. An error is said once and changes nothing. nil: nobody is
	// told. It is called from Run's goroutine; the map is its own to keep.
	OnFiles func(map[string][]time.Time) error

	// Which signals reach whom. Signals are mapped by Rewrite as they come, before
	// anything else is made of them; to 0 drops one.
	Rewrite     map[syscall.Signal]syscall.Signal
	SignalScope SignalScope // "": ScopeGroup

	// How the child is asked to end when it is to be replaced.
	StopSignal  syscall.Signal // 0: SIGTERM
	StopTimeout time.Duration  // until KILL; 0: at once [10s]

	// KillAfter bounds a stop that was asked from outside. 0: without limit, the
	// child may take its time.
	KillAfter time.Duration

	// KillLeftovers ends what remains of the child's process group when the child
	// ends by itself. It is always done as PID 1, and after every stop.
	KillLeftovers bool

	// What is done about a changed environment, and when: after no change for
	// Debounce, and then a random part of Splay, which spreads the restarts of
	// many hosts. For each name that changed the first reaction that matches it
	// counts, and of all names' the strongest; a name that none matches restarts.
	OnChange []Reaction
	Debounce time.Duration // 0: at once [1s]
	Splay    time.Duration // 0: none

	// What is done when the child ends by itself.
	Restart    RestartPolicy // "": RestartNo
	BackoffMin time.Duration // before the first restart, doubled with each; 0: at once [500ms]
	BackoffMax time.Duration // 0: BackoffMin is not doubled [30s]

	// A child started because of a change is on probation for so long after its
	// start; 0: a child is accepted once it is healthy [10s]. When it fails in
	// that time, or is not healthy in Health's, the previous environment comes
	// back and the new one is not tried again for Quarantine, or until it changes.
	Probation  time.Duration
	Quarantine time.Duration // 0: until it changes [10m]
	NoRollback bool
	Health     Health

	// Sockets that are opened here and that each child inherits by the convention
	// of sd_listen_fds(3): "tcp:HOST:PORT" or "unix:PATH". They take connections
	// while no child runs. Main must call Stage for it.
	Listen []string

	// Overlap starts the new child beside the old one, which is stopped when the
	// new one is ready: when it says READY=1 on the NOTIFY_SOCKET that it gets
	// (Linux), or, with ReadyAfter, when it has run for so long. One that is not
	// ready in time, or ends, is given up, and the old one stays. Health is not
	// used then: a check could not tell which of the two it reaches.
	Overlap      bool
	ReadyAfter   time.Duration // 0: READY=1 is waited for
	ReadyTimeout time.Duration // 0: at once [30s]

	// NotifySocket is where the service manager that started this process wants to
	// hear of it, from NOTIFY_SOCKET; empty: it does not. WatchdogEvery, from half
	// of WATCHDOG_USEC, is how often it is told that this process is alive; 0: never.
	NotifySocket  string
	WatchdogEvery time.Duration
}

// A SignalScope says who gets a signal that is passed on, and the StopSignal.
type SignalScope string

const (
	ScopeGroup SignalScope = "group" // the child's process group
	ScopeChild SignalScope = "child" // the child alone; what it leaves behind is ended after it
)

// A RestartPolicy says whether a child that ended by itself is started again.
// One that dies of a signal which was forwarded to it is not.
type RestartPolicy string

const (
	RestartNo        RestartPolicy = "no"
	RestartOnFailure RestartPolicy = "on-failure" // unless its exit status was 0
	RestartAlways    RestartPolicy = "always"
)

// Run starts the command with first, and replaces it when updates brings an
// environment with another digest. The files of an environment are there when
// its child starts, are replaced before the child hears of a change, and are
// removed in the end. It returns the status of the last child when
// that has ended and nothing is to follow: no child is alive then. With nil
// updates nothing is watched. Once updates is closed no change follows.
//
// An *[Error] is returned when there is no status: no child could be started, or
// a stop was asked before the first one. The end of ctx is such a stop, made with
// StopSignal. Run must be called once, in a process without another Run.
func (s *Supervisor) Run(ctx context.Context, first Env, updates <-chan Env) (Status, error) {
	r := &supervision{Supervisor: *s, updates: updates, results: make(chan verdict)}
	if r.StopSignal == 0 {
		r.StopSignal = syscall.SIGTERM
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.Signals == nil {
		r.Signals = CatchSignals()
		defer r.Signals.Release()
	}
	if r.Reaper == nil {
		r.Reaper = NewReaper()
		defer r.Reaper.Close()
	}
	if err := r.Command.Check(first); err != nil {
		return Status{}, err
	}
	if err := r.Signals.takeOver(); err != nil {
		return Status{}, err
	}
	if err := r.listen(); err != nil {
		return Status{}, err
	}
	defer r.unlisten()
	r.shelf = shelf{note: s.OnFiles, log: r.Log, files: make(map[string]shelved)}
	if r.shelf.note == nil {
		r.shelf.note = func(map[string][]time.Time) error { return nil }
	}
	defer r.shelf.clear()
	warnOfDisks(r.Log, first.files)
	becomeSubreaper()
	return r.run(ctx, first)
}
