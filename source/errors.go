package source

import (
	"errors"
	"fmt"
)

// A Code names one kind of failure and is stable across releases. `infisync
// explain CODE` tells its cause and remedy.
type Code string

// The codes of what can go wrong before a child runs. Package inject has its
// own, with the same method.
const (
	// Settings.
	CodeUsage             Code = "usage"
	CodeConfigInvalid     Code = "config-invalid"
	CodeNothingConfigured Code = "nothing-configured"
	CodePartMissing       Code = "part-missing"
	CodeNoEnvironment     Code = "no-environment"
	CodeSeveralProjects   Code = "several-projects"
	CodeHTTPNotAllowed    Code = "http-not-allowed"
	CodeCredentialInvalid Code = "credential-invalid" // cannot be one, whatever the server says
	CodeSecretInArgv      Code = "secret-in-argv"     // a credential on the command line

	// The server is out of reach.
	CodeUnreachable    Code = "server-unreachable" // dial, DNS, connection lost
	CodeTLS            Code = "tls-failed"
	CodeTimeout        Code = "server-timeout"
	CodeServerError    Code = "server-error" // 5xx
	CodeRateLimited    Code = "rate-limited" // 429, or any answer with retry-after
	CodeNotTheAPI      Code = "not-the-api"  // HTML, a cut body, a foreign JSON
	CodeRedirect       Code = "redirect-refused"
	CodeNoAccessToken  Code = "no-access-token" // a login that succeeded and gave nothing
	CodeIdentityLocked Code = "identity-locked"
	CodeLoginWithheld  Code = "login-withheld" // not tried: it was refused twice just now

	// The identity is refused.
	CodeLoginRefused Code = "login-refused"
	CodeTokenRefused Code = "token-refused"
	CodeAccessDenied Code = "access-denied"

	// The server answered, and what was asked for is not there or not whole.
	CodeProjectNotFound Code = "project-not-found"
	CodePlaceNotFound   Code = "place-not-found"
	CodeSecretNotFound  Code = "secret-not-found"
	CodeValueMasked     Code = "value-masked"
	CodeNothingFound    Code = "nothing-found"
	CodeNameInvalid     Code = "name-invalid"    // a character that not everybody takes
	CodeRequestRefused  Code = "request-refused" // 400, 409, 422

	// Local sources.
	CodeDotenvMissing  Code = "dotenv-missing"
	CodeDotenvInvalid  Code = "dotenv-invalid"
	CodeVaultMissing   Code = "vault-missing"
	CodeVaultStale     Code = "vault-stale"
	CodeVaultKey       Code = "vault-key" // wrong key or altered file
	CodeVaultScope     Code = "vault-scope"
	CodeVaultFormat    Code = "vault-format" // written by a newer infisync
	CodeVaultSeveral   Code = "vault-several"
	CodeVaultNoKey     Code = "vault-no-key"
	CodeStateDir       Code = "state-dir"
	CodeStartupTimeout Code = "startup-timeout"
	CodeUnhealthy      Code = "unhealthy" // what a health check is there to find

	// What is written for other programs.
	CodeExportImpossible Code = "export-impossible" // a format that cannot carry a secret
	CodeExportFile       Code = "export-file"
	CodeEnvPattern       Code = "env-pattern" // as package inject has it
	CodeHTTPListen       Code = "http-listen-failed"

	CodeInternal Code = "internal"
)

// An Error is a failure that a user can be told of: its Code is stable, its text
// says what and where and holds no secret.
type Error struct {
	Code Code
	Text string
	Err  error // the cause, for errors.Is and errors.As; nil when Text says it all
}

// Errorf returns an Error. A %w in the format is both printed and wrapped.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Text: err.Error(), Err: errors.Unwrap(err)}
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code as a string.
func (e *Error) ErrorCode() string { return string(e.Code) }

// CodeOf returns the code of the outermost error in err's tree that has one, and
// CodeInternal when none has. CodeOf(nil) is empty.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return Code(coded.ErrorCode())
	}
	return CodeInternal
}
