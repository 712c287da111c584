package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
	"infisync/source/state"
)

// shortLife is a token's life below which a cycle may outlast it.
const shortLife = time.Minute

// login logs in, once.
func (c *checkup) login(ctx context.Context) Item {
	id, secret, err := c.Settings.Credential()
	if err != nil {
		return failed(err)
	}
	remembered := ""
	if id != "" && c.stateErr == nil {
		remembered = c.StateDir
	}
	waiting, cancel := limited(ctx, c.policy.Answer)
	defer cancel()
	attempt, err := state.BeginLogin(waiting, remembered, id, secret)
	if err != nil {
		return failed(err)
	}
	c.session, err = c.Client.Login(ctx)
	result := state.LoginAccepted
	if err != nil {
		result = state.LoginUnknown
		if source.CodeOf(err) == source.CodeLoginRefused {
			result = state.LoginRefused
		}
	}
	endErr := attempt.End(result)
	switch {
	case err != nil:
		item := failed(err)
		item.Remedy = loginRemedy(err)
		return item
	case endErr != nil:
		return warning(source.CodeOf(endErr), "accepted, but that could not be noted: %v", endErr)
	case c.Settings.Method == config.Token:
		return ok("not needed with a ready token")
	}
	return ok("accepted")
}

// loginRemedy tells refused logins apart as far as the server does; empty: what
// the code says.
func loginRemedy(err error) string {
	status, answered := errors.AsType[*infisical.StatusError](err)
	if !answered || source.CodeOf(err) != source.CodeLoginRefused {
		return ""
	}
	message := strings.ToLower(status.Message)
	switch {
	case status.Login != infisical.UniversalAuth{}.Method():
		return identityRemedy(status)
	case strings.Contains(message, "access denied due to"): // expired, or its uses are spent
		return "create a new client secret for the machine identity: this one has expired or was used as often as it may be"
	case strings.Contains(message, "current ip"):
		return "add this machine's address to the trusted IPs of the identity's universal auth"
	case status.Status == http.StatusNotFound:
		return "check INFISICAL_CLIENT_ID: it is the client id under universal auth, not the identity's own id"
	case strings.Contains(message, "invalid credentials"):
		return "the server does not say which: check INFISICAL_CLIENT_ID, then the client secret, and that universal auth is on for the identity"
	}
	return ""
}

// identityRemedy is for logins with an identity's id and a JWT; empty: for others.
func identityRemedy(status *infisical.StatusError) string {
	var name, check string
	switch status.Login {
	case infisical.KubernetesAuth:
		name = "Kubernetes auth"
		check = "that it allows the pod's service account, namespace and the token's audience, and that the server reaches the cluster"
	case infisical.OIDCAuth:
		name, check = "OIDC auth", "that issuer, subject, audience and claims are the token's"
	case infisical.JWTAuth:
		name, check = "JWT auth", "that keys, issuer, subject, audience and claims are the token's; an OIDC provider's token needs --auth oidc"
	default:
		return ""
	}
	switch {
	case status.Status == http.StatusNotFound:
		return "check INFISICAL_MACHINE_IDENTITY_ID: it is the identity's own id, no client id, and that " + name + " is on for the identity"
	case strings.Contains(strings.ToLower(status.Message), "current ip"):
		return "add this machine's address to the trusted IPs of the identity's " + name
	}
	return "check the identity's " + name + ": " + check
}

// token finds out whether the server accepts the token and for how long. The
// request it makes is the one that project judges.
func (c *checkup) token(ctx context.Context) Item {
	c.projects, c.projectsErr = c.session.Projects(ctx)
	if source.CodeOf(c.projectsErr) == source.CodeTokenRefused {
		item := failed(c.projectsErr)
		if c.Settings.Method != config.Token {
			item.Remedy = "raise TTL and number of uses of access tokens in the identity's settings of its login: a fresh one was refused"
		}
		return item
	}
	expiry := c.session.Expiry()
	left := expiry.Sub(time.Now().Add(c.status.Skew)) // by the server's clock
	life := "of unknown life"
	if !expiry.IsZero() {
		unit := time.Second
		if left > time.Hour {
			unit = time.Minute // the clocks are not known better than to seconds
		}
		life = "good for " + left.Round(unit).String()
	}
	switch {
	case c.Settings.Method == config.Token:
		return ok("the ready token, %s, serves every cycle", life)
	case !expiry.IsZero() && left < shortLife:
		return warning(CodeTokenLife, "a token, %s", life)
	case c.Settings.ReuseToken:
		return ok("a token, %s, is used for that long (--reuse-token)", life)
	}
	return ok("each cycle logs in for a fresh token, %s", life)
}
