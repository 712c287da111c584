package config

import (
	"path/filepath"

	"infisync/source"
)

// Check is the cheap part of the checklist: whether what is set can work at all,
// without asking the server. With nothing configured it has nothing to say.
func (s *Settings) Check() error {
	switch {
	case s.Start == "offline" || !s.Configured():
		return nil
	case s.URL == "" && s.hasCredential():
		return source.Errorf(source.CodePartMissing, "a credential is set but no server: INFISICAL_URL is missing")
	case s.URL == "":
		return source.Errorf(source.CodePartMissing, "a login is set (%s) but no server: INFISICAL_URL is missing", s.Origin("auth"))
	}
	if err := s.missingPart(); err != nil {
		return err
	}
	_, _, err := s.Credential()
	if err != nil || s.Method == Token {
		return err
	}
	what, setting, id := "client id", "client-id", s.ClientID
	if s.Method != Universal {
		what, setting, id = "identity id", "identity-id", s.IdentityID
	}
	_, err = plausible(what, s.Origin(setting), source.NewValue(id))
	return err
}

// Credential reads anew what a login uses: client id and secret, or a JWT and the
// identity it is for, or a ready token with an empty id. The error says what is
// missing or empty.
func (s *Settings) Credential() (id string, secret source.Value, err error) {
	switch s.Method {
	case Universal:
		secret, err = s.Credentials.Secret()
		return s.ClientID, secret, err
	case Token:
		secret, err = s.Credentials.Token()
		return "", secret, err
	}
	secret, err = s.Credentials.JWT()
	// A JWT that one method refuses may be right for another.
	return string(s.Method) + ":" + s.IdentityID, secret, err
}

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
