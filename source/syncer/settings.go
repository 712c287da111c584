package syncer

import (
	"fmt"
	"log/slog"
	"os"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
	"infisync/source/metrics"
	"infisync/source/state"
	"infisync/source/vault"
)

// A Setup is what a command makes its Options of.
type Setup struct {
	Settings *config.Settings
	Env      config.Environ
	Agent    string           // how infisync names itself to the server
	Client   infisical.Policy // zero: the client's own
	Policy   Policy           // zero: DefaultPolicy
	Log      *slog.Logger
	OnEvent  func(Event)
	Idle     func()           // see Options
	Metrics  *metrics.Metrics // nil: nobody watches
	OnWait   func()           // see Options

	In, Out, Err *os.File // of the commands that read and print
}

// Options returns the options that the settings describe. Errors are those of
// settings that cannot work.
func (u Setup) Options() (Options, error) {
	s := u.Settings
	places, err := s.Places()
	if err != nil {
		return Options{}, err
	}
	opt := Options{
		Known:        source.Scope{Places: places, Recursive: s.Recursive, Imports: s.Imports, Expand: s.Expand},
		AllProjects:  s.AllProjects,
		AllowEmpty:   s.AllowEmpty,
		ReuseToken:   s.ReuseToken,
		WithLocal:    s.WithLocal,
		Orphans:      Orphans(s.DeleteOrphans),
		Start:        s.Start,
		Fallback:     s.Fallback,
		MaxStale:     s.MaxStale,
		StartTimeout: s.StartTimeout,
		Interval:     s.Interval,
		Credential:   s.Credential,
		EnvFiles:     EnvFiles{Paths: s.EnvFiles, Named: u.envFilesNamed(), Mode: s.EnvFileMode},
		Nested:       s.Nested,
		StateDir:     s.StateDirectory(u.Env),
		Policy:       u.Policy,
		Log:          u.Log,
		OnEvent:      u.OnEvent,
		Idle:         u.Idle,
		Metrics:      u.Metrics,
		Waits:        u.waits(),
		OnWait:       u.OnWait,
	}
	if len(s.EnvFiles) == 0 {
		opt.EnvFiles.Paths = []string{".env"}
	}
	if !s.Configured() && !s.Given("fallback") {
		opt.Fallback = source.Fallback{Dotenv: true}
	}
	if s.Start == "offline" {
		opt.Known.Places, opt.Fits = u.followed(places), u.switchedAlike
	}
	if u.derivesKey() {
		opt.DeriveKey = u.derived
		if opt.KeySecret, err = s.Credentials.Secret(); err == nil {
			opt.Key, err = u.derived(opt.KeySecret)
		}
	} else {
		opt.Key, err = u.Key()
	}
	if err != nil {
		return Options{}, err
	}
	if s.StateHash == "hmac" {
		if opt.Key.IsZero() {
			return Options{}, source.Errorf(source.CodeVaultNoKey, "%s hmac needs the vault's key, and there is none", s.Origin("state-hash"))
		}
		opt.Hasher = state.NewHasher(opt.Key.StateKey())
	}
	if s.Configured() && s.Start != "offline" {
		if opt.Client, err = u.NewClient(); err != nil {
			return Options{}, err
		}
		login := u.Login()
		opt.Known.URL, opt.Known.Method, opt.Known.Identity = opt.Client.URL(), login.Method(), login.Identity()
	}
	return opt, nil
}

// envFilesNamed tells whether the user named .env files. Inside another infisync with
// nothing else configured, a variable is what the outer one was told: it has read
// them and decided what they are below or above of.
func (u Setup) envFilesNamed() bool {
	s := u.Settings
	if s.Nested && !s.Configured() {
		return s.Origin("env-file") == "--env-file"
	}
	return s.Given("env-file")
}

// followed are the places of the scopes that a follower may take: of each only what
// the user said, since what was not given fits any.
func (u Setup) followed(places []source.Place) []source.Place {
	s := u.Settings
	if len(s.From) > 0 {
		return places
	}
	place := source.Place{Project: s.Project, Environment: s.Env}
	if s.Given("path") {
		place.Path = source.CleanPath(s.Path)
	}
	if place == (source.Place{}) {
		return nil
	}
	return []source.Place{place}
}

// switchedAlike tells whether a scope's switches are as the user set them, those
// that were set.
func (u Setup) switchedAlike(scope source.Scope) bool {
	s := u.Settings
	return (!s.Given("recursive") || s.Recursive == scope.Recursive) &&
		(!s.Given("include-imports") || s.Imports == scope.Imports) &&
		(!s.Given("expand-references") || s.Expand == scope.Expand)
}

// Login is how the settings log in.
func (u Setup) Login() infisical.Login {
	s := u.Settings
	byIdentity := func(route string) infisical.Login {
		return infisical.IdentityAuth{Route: route, ID: s.IdentityID, JWT: s.Credentials.JWT}
	}
	switch s.Method {
	case config.Kubernetes:
		return byIdentity(infisical.KubernetesAuth)
	case config.OIDC:
		return byIdentity(infisical.OIDCAuth)
	case config.JWT:
		return byIdentity(infisical.JWTAuth)
	case config.Token:
		return infisical.Token{Read: s.Credentials.Token}
	}
	return infisical.UniversalAuth{ClientID: s.ClientID, Secret: s.Credentials.Secret}
}

// NewClient returns the client that the settings describe.
func (u Setup) NewClient() (*infisical.Client, error) {
	s := u.Settings
	headers := make(map[string]string)
	for name, value := range s.Credentials.Headers() {
		headers[name] = value.Reveal()
	}
	return infisical.New(infisical.Config{
		URL: s.URL, AllowHTTP: s.AllowHTTP, CAFile: s.CAFile, ClientCert: s.ClientCert, ClientKey: s.ClientKey,
		Headers: headers, Organization: s.Organization,
		UserAgent: u.Agent, Login: u.Login(), Log: u.Log, Policy: u.Client, Origin: s.Origin,
	})
}

// Key finds the key of the vault: a file, else derived from the client secret that
// logs in.
// Without any the zero Key is returned, and said: there is no vault then. Offline,
// where nothing can be done without a vault, that is an error.
func (u Setup) Key() (vault.Key, error) {
	s := u.Settings
	switch {
	case s.Credentials.HasVaultKey():
		text, err := s.Credentials.VaultKey()
		if err != nil {
			return vault.Key{}, err
		}
		return u.withReaders(vault.ParseKey(text))
	case u.derivesKey():
		secret, err := s.Credentials.Secret()
		if err != nil {
			return vault.Key{}, err
		}
		return u.derived(secret)
	case s.Method != config.Universal && s.Start != "offline" && s.Configured():
		u.Log.Info(fmt.Sprintf("running without a vault: with %s its key must be given by --vault-key-file", s.Method))
	}
	return vault.Key{}, nil
}

// derivesKey tells whether the vault's key comes from the client secret.
func (u Setup) derivesKey() bool {
	s := u.Settings
	return !s.Credentials.HasVaultKey() && s.Method == config.Universal && s.Credentials.HasSecret()
}

// derived is the key of that client secret. One too short for a key gives the zero
// Key, as in Key.
func (u Setup) derived(secret source.Value) (vault.Key, error) {
	key, err := vault.DeriveKey(secret)
	if source.CodeOf(err) == source.CodeVaultNoKey && u.Settings.Start != "offline" {
		u.Log.Info(fmt.Sprintf("running without a vault: %v", err))
		return vault.Key{}, nil
	}
	return u.withReaders(key, err)
}

// withReaders adds the readers that the settings name to a key.
func (u Setup) withReaders(key vault.Key, err error) (vault.Key, error) {
	if err != nil {
		return vault.Key{}, err
	}
	if key, err = key.WithRecipients(u.Settings.Recipients...); err != nil {
		return vault.Key{}, source.Errorf(source.CodeConfigInvalid, "%s: %w", u.Settings.Origin("vault-recipient"), err)
	}
	return key, nil
}
