package doctor

import (
	"strings"
	"time"
	"unicode"

	"infisync/source/config"
	"infisync/source/infisical"
)

// usesIdentity tells whether a method takes an identity's id and a JWT.
func usesIdentity(m config.Method) bool {
	return m == config.Kubernetes || m == config.OIDC || m == config.JWT
}

// readyToken checks the token that needs no login.
func (c *checkup) readyToken() Item {
	token, err := c.Settings.Credentials.Token()
	switch {
	case err != nil:
		return failed(err)
	case strange(token.Reveal()) != "":
		return failure(CodeCredentialInvalid, "the ready token %s", strange(token.Reveal()))
	}
	return ok("a ready token is set")
}

// jwt checks the JWT. Whether it has ended is for the server to say, whose clock
// may be another.
func (c *checkup) jwt() Item {
	jwt, err := c.Settings.Credentials.JWT()
	if err != nil {
		return failed(err)
	}
	text, end := jwt.Reveal(), infisical.Expiry(jwt)
	switch left := time.Until(end); {
	case strange(text) != "":
		return failure(CodeCredentialInvalid, "the JWT %s", strange(text))
	case strings.Count(text, ".") != 2:
		return failure(CodeCredentialInvalid, "what is given as a JWT is none: it has not three parts with dots between them")
	case end.IsZero():
		return ok("a JWT is set, with no end")
	case left < 0:
		item := warning(CodeCredentialInvalid, "the JWT ended %s ago", -left.Round(time.Second))
		item.Remedy = "have whoever writes the JWT renew it; infisync reads a file anew at each login, a variable only once"
		return item
	default:
		return ok("a JWT is set, good for %s", left.Round(time.Second))
	}
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
