package config

import (
	"time"

	"infisync/source"
)

// A Command is a set of commands, for saying which take a setting.
type Command uint

// The commands.
const (
	Run Command = 1 << iota
	Sync
	Push
	Delete
	Projects
	VaultSet
	VaultGet
	VaultList
	VaultDelete
	VaultRestore
	VaultKey
	VaultRekey
	Export
	Diff
	Explain
	Ps
	Status
	Doctor
	Graph
	Init
	About // of infisync itself: needs no settings

	// Those below vault.
	inVault = VaultSet | VaultGet | VaultList | VaultDelete | VaultRestore | VaultKey | VaultRekey
	// Those that take a set from the server or what answers for it.
	loader = Run | Export
	// Those that know of scopes, and so need all that shapes one.
	scoped = all &^ (Ps | Status | Graph)
	// Those that speak with the server.
	online = scoped

	all = About - 1
)

// Settings are all settings after flags, variables, files and defaults were
// read. Fields are named after the flags.
type Settings struct {
	URL              string
	Auth             string // a Method; empty: by what is set
	AllowHTTP        bool
	CAFile           string
	ClientID         string
	ClientSecretFile string
	IdentityID       string
	JWTFile          string
	ClientCert       string
	ClientKey        string
	Organization     string

	Project       string
	AllProjects   bool
	Env           string
	Path          string
	From          []string
	Recursive     bool
	Imports       bool
	Expand        bool
	Start         string // live, vault or offline
	Fallback      source.Fallback
	MaxStale      time.Duration
	StartTimeout  time.Duration
	AllowEmpty    bool
	ReuseToken    bool
	WithLocal     bool
	EnvFiles      []string
	EnvFileMode   string // fallback, base or override
	StateDir      string
	VaultKeyFile  string
	Recipients    []string
	StateHash     string // sha256 or hmac
	Interval      time.Duration
	Watch         bool
	PreserveAll   bool
	PreserveNames []string
	Pristine      bool
	Only, Except  []string
	Prefix        string
	Rename        map[string]string
	Allow         []string
	KeepCreds     bool
	SecretFiles   []string // NAME=PATH[:MODE]
	FileAll       string   // PATH[:MODE]; empty: none
	FileFormat    string
	FileEnv       bool
	FileReplace   bool
	Exec          bool
	Once          bool
	Debounce      time.Duration
	Splay         time.Duration
	OnChange      string // [GLOB=]ACTION, separated by commas
	StopSignal    string
	StopTimeout   time.Duration
	KillAfter     time.Duration // zero: without limit
	Restart       string        // no, on-failure or always
	Probation     time.Duration
	Rollback      bool
	Quarantine    time.Duration // zero: until it changes
	HealthCmd     string        // argv, separated by blanks
	HealthHTTP    string
	HealthTCP     string
	HealthTimeout time.Duration
	SignalScope   string // group or child
	Rewrite       []string
	KillLeftovers bool
	Listen        []string
	Overlap       bool
	ReadyAfter    time.Duration
	ReadyTimeout  time.Duration
	DeleteOrphans string // "", "server" or "all"
	FromDotenv    string
	Stdin         bool
	All           bool
	Normalize     bool
	DryRun        bool
	CreateFolders bool
	Yes           bool
	PushToo       bool
	Previous      bool
	Format        string
	Output        string
	Name          string
	CheckOnly     bool
	MaxAge        time.Duration
	Type          string
	Relation      string
	Target        string
	OldSecretFile string
	OnEvent       string
	HTTP          string // HOST:PORT; empty: nothing is served
	LogLevel      string
	LogFormat     string

	// Credentials are what the environment holds besides the settings.
	Credentials Credentials
	// Method is how to log in: Auth, else what the settings and credentials are for.
	Method Method
	// Nested tells that another infisync started this process.
	Nested bool
	// Notices are what the user should be told about where settings came from.
	Notices []string

	// Files are the configuration files that were read, and what each sets.
	Files []string

	origin map[string]origin
}

// An origin is where a setting was given.
type origin struct {
	name  string // as a user calls it
	rank  rank
	texts []string // as they were given
}

// A rank is how strong an origin is against others.
type rank int

const (
	byDefault rank = iota
	byOfficial
	byFile
	byVariable
	byFlag
)

// Given tells whether the setting was set by anything but its default.
func (s *Settings) Given(name string) bool { return s.origin[name].rank > byDefault }

// Origin names where the setting was given: "--env", "INFISICAL_ENVIRONMENT",
// "env in" and the path of .infisync.yaml, the path of .infisical.json; empty for the
// default.
func (s *Settings) Origin(name string) string { return s.origin[name].name }

// Refuse is the error of a setting that cannot be used as it was given. Why may quote
// it, and is said of a flag; of a variable or a file it is only what it is not.
func (s *Settings) Refuse(name string, why error, allowed string) error {
	if o := s.origin[name]; o.rank != byFlag {
		return o.wrong(allowed)
	}
	return source.Errorf(source.CodeUsage, "--%s: %w", name, why)
}

// Configured tells whether a server, a login or a credential is set, so that the
// absence of the others is a mistake. Inside another infisync only a credential
// counts: it leaves the rest in the environment and takes the credentials out.
func (s *Settings) Configured() bool {
	return s.hasCredential() || !s.Nested && (s.URL != "" || s.Auth != "")
}

// hasCredential tells whether anything is set that belongs to an identity.
func (s *Settings) hasCredential() bool {
	c := s.Credentials
	return s.ClientID != "" || s.IdentityID != "" || c.HasSecret() || c.HasToken() || c.HasJWT()
}

// Places are the places asked for, in their order. Projects may be empty: then
// they are not settled yet. None means that no environment is known.
func (s *Settings) Places() ([]source.Place, error) {
	if len(s.From) == 0 {
		if s.Env == "" {
			return nil, nil
		}
		return []source.Place{{Project: s.Project, Environment: s.Env, Path: source.CleanPath(s.Path)}}, nil
	}
	from := s.origin["from"]
	for _, name := range []string{"env", "path"} {
		// Two variables may be there for different programs: --from counts.
		if o := s.origin[name]; o.rank >= from.rank && o.rank > byOfficial && (o.rank != byVariable || from.rank != byVariable) {
			return nil, source.Errorf(source.CodeUsage, "%s and %s together: --from names the whole place", from.name, o.name)
		}
	}
	places := make([]source.Place, 0, len(s.From))
	for _, text := range s.From {
		place, err := source.ParsePlace(text)
		if err != nil {
			return nil, err
		}
		if place.Project == "" {
			place.Project = s.Project
		}
		places = append(places, place)
	}
	return places, nil
}

// settlePlace lets --env count against a --from that was given with less weight: they
// say the same in other words. So it does with --project and --all-projects, which
// contradict each other.
func (s *Settings) settlePlace() error {
	if project, every := s.origin["project"], s.origin["all-projects"]; s.AllProjects && project.rank > byDefault {
		switch {
		case project.rank > every.rank:
			s.AllProjects = false
		case project.rank == byFlag:
			return source.Errorf(source.CodeUsage, "--project and --all-projects together: choose one")
		default: // INFISICAL_PROJECT_ID may be there for different programs
			s.Project = ""
			delete(s.origin, "project")
		}
	}
	if from := s.origin["from"]; from.rank > byDefault && s.origin["env"].rank > from.rank {
		s.From = nil
		delete(s.origin, "from")
	}
	return nil
}
