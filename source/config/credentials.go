package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"infisync/source"
)

// The variables that hold credentials themselves; the first that is set wins.
var (
	secretVariables = []string{"INFISICAL_CLIENT_SECRET", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"}
	tokenVariables  = []string{"INFISICAL_TOKEN", "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN"}
)

// The names of systemd credentials.
const (
	secretCredential = "infisical-client-secret"
	keyCredential    = "infisync-vault-key"
)

// Credentials says where the secrets that infisync itself needs are found. Files
// are read at each call, variables were read once.
type Credentials struct {
	client           givenSecret
	token            source.Value
	tokenFrom        string
	hasToken         bool
	jwt              givenSecret // that the method uses
	hasJWT           bool        // one is given, for this method or another
	keyFile, keyFrom string
	headers          map[string]source.Value
	readsDirectory   bool // something is read from CREDENTIALS_DIRECTORY
	notices          []string
}

func findCredentials(s *Settings, env Environ) (Credentials, error) {
	var c Credentials
	directory, hasDirectory := env.set("CREDENTIALS_DIRECTORY")
	credential := func(name string) string {
		path := filepath.Join(directory, name)
		if !hasDirectory || !exists(path) {
			return ""
		}
		c.readsDirectory = true
		return path
	}
	var given []givenSecret // in the order of their precedence
	if s.ClientSecretFile != "" {
		given = append(given, givenSecret{what: clientSecret, from: s.Origin("client-secret-file"), path: s.ClientSecretFile})
	}
	for _, name := range secretVariables {
		if text, ok := env.set(name); ok {
			given = append(given, givenSecret{what: clientSecret, from: name, value: source.NewValue(text)})
		}
	}
	if path := credential(secretCredential); path != "" {
		given = append(given, givenSecret{what: clientSecret, from: "the systemd credential " + secretCredential, path: path})
	}
	if len(given) > 0 {
		c.client = given[0]
		c.noteConflict(given)
	}
	for _, name := range tokenVariables {
		if text, ok := env.set(name); ok {
			c.token, c.hasToken, c.tokenFrom = source.NewValue(text), true, name
			break
		}
	}
	c.hasJWT = s.JWTFile != ""
	for _, name := range []string{jwtVariable, oidcVariable} {
		_, ok := env.set(name)
		c.hasJWT = c.hasJWT || ok
	}
	c.keyFile, c.keyFrom = credential(keyCredential), "the systemd credential "+keyCredential
	if c.keyFile == "" {
		c.keyFile, c.keyFrom = s.VaultKeyFile, s.Origin("vault-key-file")
	}
	if text, ok := env.set(headersVariable); ok {
		if c.headers, ok = parseHeaders(text); !ok {
			return c, source.Errorf(source.CodeConfigInvalid, `%s is not NAME=VALUE pairs separated by blanks, as in: a=1 b="2 3"`, headersVariable)
		}
	}
	return c, nil
}

// headersVariable holds headers to send with every request; gateways ask for them,
// and often as a secret.
const headersVariable = "INFISICAL_CUSTOM_HEADERS"

// parseHeaders reads `a=1 b="2 3"`.
func parseHeaders(text string) (map[string]source.Value, bool) {
	headers := make(map[string]source.Value)
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		name, rest, ok := strings.Cut(text, "=")
		if !ok || name == "" || strings.ContainsFunc(name, unicode.IsSpace) {
			return nil, false
		}
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if quote := rest[:min(1, len(rest))]; quote == `"` || quote == "'" {
			rest = rest[1:]
			if end = strings.Index(rest, quote); end < 0 {
				return nil, false
			}
			headers[name], text = source.NewValue(rest[:end]), rest[end+1:]
			continue
		}
		if end < 0 {
			end = len(rest)
		}
		headers[name], text = source.NewValue(rest[:end]), rest[end:]
	}
	return headers, true
}

// Headers are what INFISICAL_CUSTOM_HEADERS asks to send with every request.
func (c Credentials) Headers() map[string]source.Value { return c.headers }

const clientSecret = "client secret"

// A givenSecret is a client secret or JWT in one of the places where it may be.
type givenSecret struct {
	what  string
	from  string       // how a user calls it; empty: there is none
	path  string       // of the file that holds it; empty: value is it
	value source.Value // as it was given
}

// read reads the secret, a file each time anew.
func (g givenSecret) read() (value source.Value, err error) {
	if g.path != "" {
		value, err = readCredential(g.path, "the "+g.what, g.from)
	} else {
		value, err = trimmed(g.value, g.from)
	}
	if err != nil {
		return source.Value{}, err
	}
	return plausible(g.what, g.from, value)
}

// noteConflict warns when a secret is given in several ways that differ.
func (c *Credentials) noteConflict(given []givenSecret) {
	if len(given) == 1 {
		return
	}
	used, err := given[0].read()
	if err != nil {
		return // the login says so
	}
	for _, other := range given[1:] {
		if value, err := other.read(); err == nil && !value.Equal(used) {
			c.notices = append(c.notices, fmt.Sprintf("%s and %s hold different %ss: %s is used", given[0].from, other.from, other.what, given[0].from))
		}
	}
}

// HasSecret tells whether a client secret is given.
func (c Credentials) HasSecret() bool { return c.client.from != "" }

// HasToken tells whether a ready token is given.
func (c Credentials) HasToken() bool { return c.hasToken }

// Secret reads the client secret, from its file each time anew.
func (c Credentials) Secret() (source.Value, error) {
	if !c.HasSecret() {
		return source.Value{}, source.Errorf(source.CodePartMissing, "the client secret is not set")
	}
	return c.client.read()
}

// Token returns the ready token.
func (c Credentials) Token() (source.Value, error) {
	token, err := trimmed(c.token, c.tokenFrom)
	if err != nil {
		return source.Value{}, err
	}
	return plausible("token", c.tokenFrom, token)
}

// HasVaultKey tells whether a file with the vault's key is given.
func (c Credentials) HasVaultKey() bool { return c.keyFile != "" }

// VaultKey reads the file with the vault's key.
func (c Credentials) VaultKey() (source.Value, error) {
	return readCredential(c.keyFile, "the vault's key", c.keyFrom)
}

// OldSecret reads the file with the client secret, or the key, that a vault had.
func (s *Settings) OldSecret() (source.Value, error) {
	return readCredential(s.OldSecretFile, "the old key", s.Origin("old-secret-file"))
}

func readCredential(path, what, from string) (source.Value, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		err = errors.New("it is larger than 1 MiB")
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	// A variable's text is not shown: people put the secret itself into the variable
	// that is for its file.
	if failed, ok := errors.AsType[*fs.PathError](err); ok && strings.HasPrefix(from, "INFIS") {
		err = failed.Err
	}
	if err != nil {
		return source.Value{}, source.Errorf(source.CodeConfigInvalid, "reading %s (%s): %w", what, from, err)
	}
	return trimmed(source.NewValue(string(data)), from)
}

// trimmed drops the white space that editors and `echo` leave around a secret;
// the server trims it too.
func trimmed(v source.Value, from string) (source.Value, error) {
	text := strings.TrimSpace(v.Reveal())
	if text == "" {
		return source.Value{}, source.Errorf(source.CodePartMissing, "the credential from %s is empty", from)
	}
	return source.NewValue(text), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Withheld are the names of the variables that a child does not get: those that
// hold credentials or point to them.
func (c Credentials) Withheld() []string {
	names := slices.Concat(secretVariables, tokenVariables, []string{
		"INFISICAL_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "INFISYNC_CLIENT_ID",
		"INFISICAL_CLIENT_SECRET_FILE", "INFISYNC_CLIENT_SECRET_FILE", "INFISYNC_VAULT_KEY_FILE",
		"INFISICAL_MACHINE_IDENTITY_ID", "INFISYNC_IDENTITY_ID",
		jwtVariable, oidcVariable, kubernetesVariable, "INFISICAL_JWT_FILE", "INFISYNC_JWT_FILE",
		// Those of the official tools, which mean the same identity.
		headersVariable, "INFISICAL_UNIVERSAL_CLIENT_SECRET", "INFISICAL_ACCESS_TOKEN",
		"INFISICAL_LDAP_PASSWORD", "INFISICAL_VAULT_FILE_PASSPHRASE", "INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH",
	})
	if c.readsDirectory {
		names = append(names, "CREDENTIALS_DIRECTORY")
	}
	return names
}

// Unset takes what Withheld names out of this process's environment, so that nothing
// has it which was not given its environment on purpose. What was read of it stays.
func (c Credentials) Unset() {
	for _, name := range c.Withheld() {
		_ = os.Unsetenv(name) // it fails only for what is no name
	}
}
