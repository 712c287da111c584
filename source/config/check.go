package config

import (
	"path/filepath"

	"infisync/source"
)

// Check is the cheap part of the checklist: whether what is set can work at all,
// without asking the server. With nothing configured it has nothing to say.
func (s *Settings) Check() error {
	if s.Start == "offline" || !s.Configured() {
		return nil
	}
	c := s.Credentials
	complete := s.ClientID != "" && c.HasSecret() || c.HasToken()
	switch {
	case s.URL == "":
		return source.Errorf(source.CodePartMissing, "a credential is set but no server: INFISICAL_URL is missing")
	case s.ClientID == "" && !c.HasSecret() && !c.HasToken():
		return source.Errorf(source.CodePartMissing, "a server is set (%s) but no credential: INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET are missing", s.Origin("url"))
	case !complete && s.ClientID == "":
		return source.Errorf(source.CodePartMissing, "a client secret is set but no client id: INFISICAL_CLIENT_ID is missing")
	case !complete:
		return source.Errorf(source.CodePartMissing, "a client id is set (%s) but no client secret: INFISICAL_CLIENT_SECRET is missing", s.Origin("client-id"))
	}
	_, _, err := s.Credential()
	return err
}

// Credential reads anew what a login uses: client id and secret, or a ready token
// with an empty id. The error says what is missing or empty.
func (s *Settings) Credential() (id string, secret source.Value, err error) {
	if s.UniversalAuth() {
		secret, err = s.Credentials.Secret()
		return s.ClientID, secret, err
	}
	secret, err = s.Credentials.Token()
	return "", secret, err
}

// UniversalAuth tells whether to log in with client id and secret, which wins
// over a ready token.
func (s *Settings) UniversalAuth() bool { return s.ClientID != "" && s.Credentials.HasSecret() }

// StateDirectory is where vaults and state are kept: as set, else below
// $XDG_STATE_HOME or the home directory; empty when there is none of them.
func (s *Settings) StateDirectory(env Environ) string {
	if s.StateDir != "" {
		return s.StateDir
	}
	// The base directory specification has relative paths ignored.
	if dir, ok := env.set("XDG_STATE_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "infisync")
	}
	if home, ok := env.set("HOME"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "infisync")
	}
	return ""
}
