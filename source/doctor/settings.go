package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
)

// files names the configuration files in use. One that cannot be read ends infisync
// before there is a checklist.
func (c *checkup) files(context.Context) Item {
	if len(c.Settings.Files) == 0 {
		return ok("none, from the working directory upwards")
	}
	return ok("%s", strings.Join(c.Settings.Files, "; "))
}

// variables looks for names that are almost a setting's.
func (c *checkup) variables(context.Context) Item {
	var wrong []string
	for _, name := range config.Misspelled(c.Environ) {
		wrong = append(wrong, fmt.Sprintf("%q is no setting, did you mean %s?", name[0], name[1]))
	}
	if len(wrong) > 0 {
		return warning(source.CodeConfigInvalid, "%s", some(wrong))
	}
	return ok("none is misspelled")
}

// url checks the server's address.
func (c *checkup) url(context.Context) Item {
	s := c.Settings
	switch {
	case !s.Configured():
		return failure(source.CodeNothingConfigured, "neither a server nor a credential is set")
	case s.URL == "":
		return failure(source.CodePartMissing, "no server is set: INFISICAL_URL is missing")
	}
	base, err := infisical.NormalizeURL(s.URL)
	if err != nil {
		return failed(fmt.Errorf("%s: %w", s.Origin("url"), err))
	}
	if c.server, err = url.Parse(base); err != nil {
		return failure(source.CodeConfigInvalid, "the server URL cannot be read")
	}
	return ok("%s (%s)", base, s.Origin("url"))
}

// clientID checks the id that a login sends.
func (c *checkup) clientID(context.Context) Item {
	s := c.Settings
	what, setting, variable, id := "client id", "client-id", "INFISICAL_CLIENT_ID", s.ClientID
	if usesIdentity(s.Method) {
		what, setting, variable, id = "identity id", "identity-id", "INFISICAL_MACHINE_IDENTITY_ID", s.IdentityID
	}
	switch {
	case !s.Configured():
		return skipped("nothing is configured")
	case s.Method == config.Token:
		return skipped("a ready token is used instead")
	case strings.TrimSpace(id) == "":
		return failure(source.CodePartMissing, "no %s is set: %s is missing", what, variable)
	case config.Implausible(id) != "":
		return failure(source.CodeCredentialInvalid, "the %s (%s) %s", what, s.Origin(setting), config.Implausible(id))
	case id != strings.TrimSpace(id):
		return warning(source.CodeCredentialInvalid, "the %s (%s) has white space around it", what, s.Origin(setting))
	case usesIdentity(s.Method):
		return ok("an identity id is set (%s), for %s", s.Origin(setting), s.Method)
	}
	return ok("set (%s)", s.Origin(setting))
}

// clientSecret checks the secret, or the ready token or JWT that takes its place.
func (c *checkup) clientSecret(context.Context) Item {
	s := c.Settings
	switch {
	case !s.Configured():
		return skipped("nothing is configured")
	case s.Method == config.Token:
		return c.readyToken()
	case usesIdentity(s.Method):
		return c.jwt()
	case !s.Credentials.HasSecret():
		return failure(source.CodePartMissing, "no client secret is set: INFISICAL_CLIENT_SECRET is missing")
	}
	secret, err := s.Credentials.Secret()
	if err != nil {
		return failed(err)
	}
	id, text := strings.TrimSpace(s.ClientID), secret.Reveal()
	switch {
	case text == id:
		return failure(source.CodeCredentialInvalid, "the client secret is the same as the client id")
	case isUUID(text) && !isUUID(id):
		return failure(source.CodeCredentialInvalid, "client id and client secret look swapped")
	}
	return ok("set and not empty")
}

// scheme checks that credentials do not travel unencrypted.
func (c *checkup) scheme(context.Context) Item {
	switch {
	case c.server.Scheme == "https":
		return ok("https")
	case source.CodeOf(c.ClientErr) == source.CodeHTTPNotAllowed:
		return failed(c.ClientErr)
	case c.Settings.AllowHTTP && !isLoopback(c.server.Hostname()):
		return warning(source.CodeHTTPNotAllowed, "plain http to %q, allowed: credentials travel unencrypted", c.server.Host)
	}
	return ok("plain http, to this machine only")
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// argv looks for credentials on the command line.
func (c *checkup) argv(context.Context) Item {
	secrets := c.credentials()
	for i, arg := range c.Args {
		for _, secret := range secrets {
			if strings.Contains(arg, secret) {
				return failure(source.CodeSecretInArgv, "argument %d holds the client secret, the token or the JWT", i)
			}
		}
		value := arg
		if _, after, found := strings.Cut(arg, "="); found {
			value = after
		}
		if looksLikeToken(value) {
			return failure(source.CodeSecretInArgv, "argument %d looks like an access token", i)
		}
	}
	return ok("no credential on the command line")
}

// looksLikeToken knows JSON Web Tokens and service tokens, both in three or more
// parts between dots.
func looksLikeToken(text string) bool {
	const shortest = 30 // no token is shorter
	if len(text) < shortest || strings.ContainsAny(text, "/ ") {
		return false
	}
	dots := strings.Count(text, ".")
	return strings.HasPrefix(text, "eyJ") && dots == 2 || strings.HasPrefix(text, "st.") && dots >= 2
}
