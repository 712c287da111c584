package doctor

import (
	"strings"
	"time"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
)

// usesIdentity tells whether a method takes an identity's id and a JWT.
func usesIdentity(m config.Method) bool {
	return m == config.Kubernetes || m == config.OIDC || m == config.JWT
}

// readyToken checks the token that needs no login.
func (c *checkup) readyToken() Item {
	_, err := c.Settings.Credentials.Token()
	if err != nil {
		return failed(err)
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
	case strings.Count(text, ".") != 2:
		return failure(source.CodeCredentialInvalid, "the JWT is not valid: it does not have three parts separated by dots")
	case end.IsZero():
		return ok("a JWT without an expiry is set")
	case left < 0:
		item := warning(source.CodeCredentialInvalid, "the JWT expired %s ago", -left.Round(time.Second))
		item.Remedy = "renew the JWT where it is issued; infisync reads a file again at each login, a variable only once"
		return item
	default:
		return ok("a JWT is set, good for %s", left.Round(time.Second))
	}
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
