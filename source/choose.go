package source

import (
	"strings"
	"time"
)

// A Cause is why the server gave no set, as far as it matters for which source
// may answer instead.
type Cause int

const (
	CauseOther             Cause = iota // settings are wrong, or the answer is clear and negative
	CauseNothingConfigured              // neither a URL nor a credential is set
	CauseOutOfReach                     // no answer, or one that is not the API's
	CauseRefused                        // the identity is refused; revoked means revoked
)

// CauseOf returns the cause behind a code. A code it does not know is
// CauseOther, for which nothing falls back.
func CauseOf(code Code) Cause {
	switch code {
	case CodeNothingConfigured:
		return CauseNothingConfigured
	case CodeUnreachable, CodeTLS, CodeTimeout, CodeServerError, CodeRateLimited,
		CodeNotTheAPI, CodeNoAccessToken, CodeRedirect, CodeIdentityLocked, CodeStartupTimeout:
		return CauseOutOfReach
	case CodeLoginRefused, CodeTokenRefused, CodeAccessDenied, CodeLoginWithheld:
		return CauseRefused
	}
	return CauseOther
}

// A Fallback says which sources may answer for a server that is out of reach.
type Fallback struct {
	Vault, Dotenv bool
}

// ParseFallback reads "vault", "dotenv", both in any order separated by a comma,
// or "none".
func ParseFallback(s string) (Fallback, bool) {
	var f Fallback
	if s == "none" {
		return f, true
	}
	for part := range strings.SplitSeq(s, ",") {
		switch strings.TrimSpace(part) {
		case "vault":
			f.Vault = true
		case "dotenv":
			f.Dotenv = true
		default:
			return Fallback{}, false
		}
	}
	return f, true
}

// Have says what else could answer.
type Have struct {
	Vault    bool          // a vault that this key opens, sealed for this scope
	Age      time.Duration // since the vault's last successful pull; negative when the clock was set back
	MaxStale time.Duration // the oldest vault that may answer
	Dotenv   bool          // there is a .env file
	Fallback Fallback      // what the user lets answer
}

// An Answer is the source that answers.
type Answer int

const (
	AnswerNone   Answer = iota // nothing may answer: the failure is the outcome
	AnswerVault                // the last pulled set
	AnswerDotenv               // the .env files
)

// Choose tells which source answers when the server gave no set. A refused
// identity is never answered from anywhere else, nor is a clear negative answer:
// only a server that is out of reach, or none at all, lets another source speak.
func Choose(cause Cause, have Have) Answer {
	switch cause {
	case CauseNothingConfigured:
		if have.Dotenv && have.Fallback.Dotenv {
			return AnswerDotenv
		}
	case CauseOutOfReach:
		// A vault from the future has no known age, so it may be older than allowed.
		if have.Vault && have.Fallback.Vault && have.Age >= 0 && have.Age <= have.MaxStale {
			return AnswerVault
		}
		if have.Dotenv && have.Fallback.Dotenv {
			return AnswerDotenv
		}
	}
	return AnswerNone
}
