// Package syncer decides when to ask the server and what a child may be started
// with.
//
// [Syncer.Start] gives the first [Snapshot]: pulled from the server, or, when the
// server is out of reach, from whatever source.Choose lets answer. Then
// [Syncer.Watch] pulls at each interval, looks at the .env files in use, and
// sends a new Snapshot when something changed. A failed, refused or strange
// answer never sends one: what a child runs with stays as it is.
//
// Every accepted pull is written to the vault and to the state file, so that the
// next start can be answered without the server and other processes can follow.
package syncer

import (
	"log/slog"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/metrics"
	"infisync/source/state"
	"infisync/source/vault"
)

// From says which source a Snapshot comes from.
type From int

// The sources.
const (
	FromServer    From = iota
	FromVault          // the last pulled set
	FromDotenv         // .env files instead of a server
	FromInherited      // nothing: the inherited environment is passed on
)

// String names the source.
func (f From) String() string {
	return [...]string{"server", "vault", "dotenv", "inherited environment"}[f]
}

// A Snapshot is what a child may be started with: always whole.
type Snapshot struct {
	From    From
	Secrets source.Set   // as the server or the vault gave them; empty for the other sources
	Dotenv  source.Set   // of the .env files, when they are in use
	Local   source.Set   // local values of the vault, with Options.WithLocal
	Hasher  state.Hasher // of the scope's state file
	Pulled  time.Time    // when the server last confirmed Secrets; zero for the other sources
}

// Options are what a Syncer works by.
type Options struct {
	// Client asks the server; nil when nothing is configured or with Start "offline".
	Client *infisical.Client
	// Known is the scope as far as it is settled: with projects empty they are
	// looked up, with no places at all every one fits offline, and live it is an
	// error that lists the environments.
	Known source.Scope
	// Fits tells whether a vault's scope may be followed offline, besides what Known
	// says; nil: any may.
	Fits func(source.Scope) bool
	// AllProjects takes each place in every project that has its environment.
	AllProjects bool
	AllowEmpty  bool
	ReuseToken  bool
	WithLocal   bool
	Orphans     Orphans // what Sync and Watch remove from the vault

	Start    string // "live" (also the zero value), "vault" or "offline"
	Fallback source.Fallback
	MaxStale time.Duration
	// StartTimeout bounds Start; zero: Policy's limits.
	StartTimeout time.Duration
	Interval     time.Duration
	// Credential reads what the next login will use, anew each time: a cheap look
	// that saves a login which cannot succeed. The id tells one identity and method
	// from others; an empty one stands for a ready token, with which there is no login.
	Credential func() (id string, secret source.Value, err error)

	EnvFiles EnvFiles
	Nested   bool // started by another infisync

	StateDir string       // empty: nothing is stored
	Key      vault.Key    // the zero Key: no vault
	Hasher   state.Hasher // of the state files that are written
	// DeriveKey makes the Key of a client secret other than KeySecret, which Key was
	// made of; nil: Key stays as it is, whatever logs in.
	DeriveKey func(secret source.Value) (vault.Key, error)
	KeySecret source.Value
	Policy    Policy
	Log       *slog.Logger
	Idle      func()           // called by Watch's goroutine when there is nothing to do before the next poll; nil: nothing is done
	OnEvent   func(Event)      // called for each event, by Start's or Watch's goroutine: it must not block; nil: none
	Metrics   *metrics.Metrics // told of each poll and each set; nil: nobody watches

	// Waits is called when a first pull begins, and what it returns when that is over;
	// nil: nobody is told that the server takes its time.
	Waits func() (over func())
	// OnWait is called by Start, at most once, before what may take long: the first
	// pull, or the wait for a vault to follow. Nil: nothing is done.
	OnWait func()
}

// EnvFiles are the .env files.
type EnvFiles struct {
	Paths []string // in their order, the later wins
	Named bool     // the user named them: a missing one is an error
	Mode  string   // "fallback", "base" or "override"
}

// layered tells whether the files are laid over or under the secrets.
func (e EnvFiles) layered() bool { return e.Mode == "base" || e.Mode == "override" }

// A Policy holds the syncer's limits and waits, so that tests can shorten them.
type Policy struct {
	HastyStart   time.Duration // limit of a first pull when something else can answer
	PatientStart time.Duration // limit of a first pull when nothing else can
	RefusedWait  time.Duration // least wait after a refused login
	MaxBackOff   time.Duration // longest wait after repeated failures, if Interval is not longer
	Jitter       float64       // part of a wait by which it varies up and down
	Silence      time.Duration // a first pull that lasts longer is shown on a terminal
	LockWait     time.Duration // longest wait for another process that writes: without it there are secrets to give, too
	Pace         time.Duration // instead of Options.Interval; zero: that
	Reseal       time.Duration // the vault's time of pull is at most this much too old
}

// DefaultPolicy returns the limits that infisync runs with.
func DefaultPolicy() Policy {
	return Policy{
		HastyStart:   10 * time.Second,
		PatientStart: 120 * time.Second,
		RefusedWait:  5 * time.Minute,
		MaxBackOff:   5 * time.Minute, // so that a server that is back is found within that
		Jitter:       0.1,
		Silence:      3 * time.Second,
		LockWait:     30 * time.Second,
		Reseal:       time.Hour,
	}
}

// A Syncer keeps one scope in step with the server. Start comes first, then
// Watch; neither may be called twice or at the same time.
type Syncer struct {
	opt     Options
	started int64 // see state.SinceBoot

	places   []source.Place      // the resolved places; nil until they are
	projects []infisical.Project // those that the identity sees, as far as they were looked up
	learned  []infisical.Project // those looked up by their ids
	known    map[source.Place]infisical.Answer
	clashes  map[string]string // name → what was said of its clash
	current  Snapshot
	pending  []string // names that the last poll lost and the next must lose too
	session  *infisical.Session
	loggedIn source.Value // what the last login was accepted with

	failures int         // polls that failed in a row
	kind     source.Code // of the last failure said; empty: the last poll was good
	store    *store      // nil: nothing is stored
	envKind  source.Code // of the last .env failure said
}

// New returns a Syncer.
func New(opt Options) *Syncer {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Policy == (Policy{}) {
		opt.Policy = DefaultPolicy()
	}
	if opt.Policy.Pace > 0 {
		opt.Interval = opt.Policy.Pace
	}
	return &Syncer{opt: opt, started: state.SinceBoot(), current: Snapshot{Hasher: opt.Hasher}, known: make(map[source.Place]infisical.Answer), clashes: make(map[string]string)}
}

// Folder is the name of the scope's folder in the state directory; empty when
// nothing is stored or the scope is not settled.
func (s *Syncer) Folder() string {
	if s.store == nil || s.places == nil {
		return ""
	}
	return s.scope().Folder()
}

// Entry is what the register is told of a child's process: whether it watches, too, or
// only started with what there was.
func (s *Syncer) Entry(command string, watches bool) state.Entry {
	entry := state.Entry{Folder: s.Folder(), Command: command}
	if watches && s.opt.Client != nil {
		entry.Interval = s.opt.Interval
	}
	return entry
}

// Register puts this process into the register of the state directory. That it cannot
// be written is no reason not to run: nil is returned then.
func (s *Syncer) Register(entry state.Entry) *state.Registration {
	registration, err := state.Register(s.opt.StateDir, entry)
	if err != nil {
		s.opt.Log.Debug(err.Error())
	}
	return registration
}

// scope is the settled scope: Known with the resolved places.
func (s *Syncer) scope() source.Scope {
	scope := s.opt.Known
	scope.Places = s.places
	return scope
}
