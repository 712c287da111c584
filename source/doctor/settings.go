package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"infisync/source"
	"infisync/source/infisical"
)

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
		return failed(err)
	}
	if c.server, err = url.Parse(base); err != nil {
		return failure(source.CodeConfigInvalid, "the server URL cannot be read")
	}
	return ok("%s (%s)", base, s.Origin("url"))
}

// usesToken tells whether a ready token takes the place of id and secret.
func (c *checkup) usesToken() bool {
	return !c.Settings.UniversalAuth() && c.Settings.Credentials.HasToken()
}

func (c *checkup) clientID(context.Context) Item {
	s := c.Settings
	switch id := s.ClientID; {
	case !s.Configured():
		return skipped("nothing is configured")
	case c.usesToken():
		return skipped("a ready token is used instead")
	case strings.TrimSpace(id) == "":
		return failure(source.CodePartMissing, "no client id is set: INFISICAL_CLIENT_ID is missing")
	case strange(id) != "":
		return failure(CodeCredentialInvalid, "the client id (%s) %s", s.Origin("client-id"), strange(id))
	case id != strings.TrimSpace(id):
		return warning(CodeCredentialInvalid, "the client id (%s) has white space around it", s.Origin("client-id"))
	}
	return ok("set (%s)", s.Origin("client-id"))
}

// clientSecret checks the secret, or the ready token that takes its place.
func (c *checkup) clientSecret(context.Context) Item {
	s := c.Settings
	if !s.Configured() {
		return skipped("nothing is configured")
	}
	if c.usesToken() {
		token, err := s.Credentials.Token()
		switch {
		case err != nil:
			return failed(err)
		case strange(token.Reveal()) != "":
			return failure(CodeCredentialInvalid, "the ready token %s", strange(token.Reveal()))
		}
		return ok("a ready token is set")
	}
	if !s.Credentials.HasSecret() {
		return failure(source.CodePartMissing, "no client secret is set: INFISICAL_CLIENT_SECRET is missing")
	}
	secret, err := s.Credentials.Secret()
	if err != nil {
		return failed(err)
	}
	id, text := strings.TrimSpace(s.ClientID), secret.Reveal()
	switch {
	case strange(text) != "":
		return failure(CodeCredentialInvalid, "the client secret %s", strange(text))
	case text == id:
		return failure(CodeCredentialInvalid, "the client secret is the same as the client id")
	case isUUID(text) && !isUUID(id):
		return failure(CodeCredentialInvalid, "client id and client secret look as if one was taken for the other")
	}
	return ok("set and not empty")
}

// strange says why a text is no credential, in words that follow what it is
// called; empty when it may be one. White space around it does not count, since
// infisync and the server drop it.
func strange(text string) string {
	text = strings.TrimSpace(text)
	first, last := text[0], text[len(text)-1]
	switch {
	case isPlaceholder(strings.ToLower(text)):
		return "is a placeholder from an example"
	case strings.ContainsFunc(text, unicode.IsSpace):
		return "has white space in it"
	case first == last && (first == '"' || first == '\'') && len(text) > 1:
		return "has quotes around it, which are not part of it"
	}
	return ""
}

// isPlaceholder knows what examples write, in lower case. Real ids and secrets
// are hexadecimal digits.
func isPlaceholder(text string) bool {
	for _, prefix := range []string{"your", "my-", "my_", "<", "[", "{", "${", "$(", "changeme", "change-me", "change_me",
		"replace", "insert", "example", "sample", "placeholder", "todo"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	switch text {
	case "secret", "password", "client-id", "client_id", "client-secret", "client_secret", "none", "null", "undefined", "test":
		return true
	}
	return strings.Trim(text, text[:1]) == "" // xxxx, ****
}

func isUUID(text string) bool {
	if len(text) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i, r := range text {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (r == '-') {
			return false
		}
		if r != '-' && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

// scheme checks that credentials do not travel readable.
func (c *checkup) scheme(context.Context) Item {
	switch {
	case c.server.Scheme == "https":
		return ok("https")
	case source.CodeOf(c.ClientErr) == source.CodeHTTPNotAllowed:
		return failed(c.ClientErr)
	case c.Settings.AllowHTTP && !isLoopback(c.server.Hostname()):
		return warning(source.CodeHTTPNotAllowed, "plain http to %q, allowed: credentials travel readable", c.server.Host)
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
				return failure(CodeSecretInArgv, "argument %d holds the client secret or the token", i)
			}
		}
		value := arg
		if _, after, found := strings.Cut(arg, "="); found {
			value = after
		}
		if looksLikeToken(value) {
			return failure(CodeSecretInArgv, "argument %d looks like an access token", i)
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
