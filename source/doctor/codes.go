package doctor

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
)

// The codes of what only the checklist reports.
const (
	CodeCertExpiry source.Code = "certificate-expiry"
	CodeClockSkew  source.Code = "clock-skew"
	CodeTokenLife  source.Code = "token-life"
)

// Codes of package inject, which nothing in source imports.
const (
	codeEnvName       source.Code = "env-name"
	codeNameRefused   source.Code = "name-refused"
	codeNamesWithheld source.Code = "names-withheld"
)

// An Entry explains one stable error code.
type Entry struct {
	Code   source.Code `json:"code"`
	Cause  string      `json:"cause"`  // what it means, one sentence
	Remedy string      `json:"remedy"` // what to do, one line
}

// Codes are all codes, grouped as a start meets them.
var Codes = []Entry{
	{source.CodeUsage, "A flag or an argument cannot be understood.",
		`see "infisync COMMAND --help"`},
	{source.CodeConfigInvalid, "A setting from a variable or a file is invalid.",
		`correct the setting that the error names`},
	{source.CodeNothingConfigured, "Neither a server nor credentials are set, and there is no .env file.",
		`set INFISICAL_URL, INFISICAL_CLIENT_ID, INFISICAL_CLIENT_SECRET and INFISICAL_ENVIRONMENT, or write a .env file`},
	{source.CodePartMissing, "A server is set without credentials, or the reverse, or the credentials are incomplete.",
		`set what is missing: INFISICAL_URL, and INFISICAL_CLIENT_ID with INFISICAL_CLIENT_SECRET or INFISICAL_CLIENT_SECRET_FILE, or what another --auth method needs`},
	{source.CodeNoEnvironment, "No environment is set; infisync does not guess one.",
		`set --env or INFISICAL_ENVIRONMENT`},
	{source.CodeSeveralProjects, "The identity can access several projects and none was selected.",
		`select one with --project or INFISICAL_PROJECT_ID, or all with --all-projects`},
	{source.CodeHTTPNotAllowed, "The URL is plain http:// and not on this machine: credentials would travel unencrypted.",
		`use https://, or allow it with --allow-http on a trusted network`},
	{source.CodeCredentialInvalid, "An id or a credential cannot be valid: it is a placeholder, both are the same, it contains quotes or white space, or a JWT does not have three parts.",
		`copy client id and client secret again from the machine identity's universal auth, without quotes; for a JWT, check what writes it`},
	{source.CodeSecretInArgv, "A credential is on the command line, which every user of the machine can read.",
		`set INFISICAL_CLIENT_SECRET, INFISICAL_TOKEN or INFISICAL_JWT, or name a file with --client-secret-file or --jwt-file, and rotate the client secret, token or JWT: it must be considered exposed`},

	{source.CodeUnreachable, "The connection to the server failed or was lost: wrong host or port, DNS, a firewall, or the server is down.",
		`check INFISICAL_URL and that the server responds at URL/api/status`},
	{source.CodeTLS, "The server's certificate was not accepted.",
		`for a private CA, name its certificate with --ca-file or SSL_CERT_FILE; check the host name and the validity dates`},
	{source.CodeTimeout, "The server did not respond in time.",
		`check the server's health and the network in between`},
	{source.CodeServerError, "The server reported an internal error.",
		`check the server's log; the error contains the request id if the server sent one`},
	{source.CodeRateLimited, "The server got too many requests from this address and refuses more for a while.",
		`poll less often (--interval), or let one "infisync sync --watch" serve several "run --start offline"`},
	{source.CodeNotTheAPI, "The response is not from the Infisical API: it is from a web page, a proxy or a login portal, or it was cut off.",
		`check INFISICAL_URL: URL/api/status must return JSON`},
	{source.CodeRedirect, "The server redirects to another origin; credentials are not sent there.",
		`set INFISICAL_URL to the address it redirects to, if you trust it`},
	{source.CodeNoAccessToken, "The login succeeded, but the response has no accessToken: a gateway or another service responds in the server's place.",
		`check that INFISICAL_URL is the Infisical server itself and that nothing in between rewrites its responses`},
	{source.CodeIdentityLocked, "The identity is locked for a few minutes after failed logins, for everyone who uses it.",
		`correct the client secret everywhere it is wrong, then wait five minutes`},
	{source.CodeLoginWithheld, "This client secret or JWT was just refused twice; a third login could lock the identity for everyone.",
		`correct it (a different one is tried at once), or wait half a minute`},
	{CodeCertExpiry, "The server's certificate expires soon.",
		`renew the server's certificate`},
	{CodeClockSkew, "The clocks of this machine and the server differ: certificates and tokens seem to expire too early or too late.",
		`synchronize both machines' clocks with NTP`},
	{source.CodeStartupTimeout, "The first pull took longer than the startup timeout.",
		`raise --startup-timeout, or start from the vault with --start vault`},

	{source.CodeLoginRefused, "The server does not know this id, or rejects its credential: a client secret that is wrong, expired or used up, or a JWT.",
		`create a new client secret for the machine identity and set INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET`},
	{source.CodeTokenRefused, "The access token is expired, revoked, used up or not valid for this.",
		`set a new INFISICAL_TOKEN; if infisync logged in itself, check the identity's access token TTL, number of uses and trusted IPs`},
	{CodeTokenLife, "The server gives the identity tokens that expire almost at once.",
		`raise the access token TTL in the settings of the identity's login method`},
	{source.CodeAccessDenied, "The identity is known but lacks the permission for this.",
		`give the machine identity a role in the project that permits what the error names`},

	{source.CodeProjectNotFound, "The project does not exist, or the identity is not a member of it.",
		`check --project (the id, not the name) and that the identity is a member`},
	{source.CodePlaceNotFound, "The project has no such environment or folder.",
		`check --env (the slug, not the display name) and --path`},
	{source.CodeSecretNotFound, "There is no secret with that name in that place.",
		`check the name; names are case-sensitive`},
	{source.CodeValueMasked, "The identity may see that a secret exists, but not its value.",
		`give the identity's role the permission to read values, or move the secret elsewhere`},
	{source.CodeNothingFound, "A place lists no secrets. Servers also respond this way for a folder that does not exist.",
		`check --env and --path, or allow it with --allow-empty`},
	{source.CodeNameInvalid, "A secret's name contains characters other than A-Z, 0-9 and _, or begins with a digit: shells cannot use such a variable, and servers refuse some.",
		`rename the secret, or give it another name with --rename OLD=NEW; "infisync push --normalize" does so when pushing`},
	{source.CodeRequestRefused, "The server understood the request and refuses it.",
		`correct what the server's message says`},

	{source.CodeDotenvMissing, "A .env file that was named does not exist.",
		`check the path that the error names, and the working directory it is relative to`},
	{source.CodeDotenvInvalid, "A .env file cannot be parsed.",
		`correct the line that the error names: NAME=value, with closed quotes`},
	{source.CodeVaultMissing, "There is no vault for these settings yet: nothing has been pulled with them on this machine.",
		`start once while the server is reachable, or run "infisync sync"`},
	{source.CodeVaultStale, "The vault was pulled longer ago than --max-stale allows, or is older than the state file next to it says.",
		`bring the server back, or raise --max-stale; give followers of the vault the client secret or key of the process that maintains it`},
	{source.CodeVaultKey, "The vault does not open: it was sealed with another key, or it is damaged.",
		`start once while the server is reachable: a new vault is written, and the old file is kept next to it`},
	{source.CodeVaultScope, "The vault was sealed for another server, identity or place.",
		`do not copy vaults between environments; start once while the server is reachable`},
	{source.CodeVaultFormat, "The vault was written by a newer infisync.",
		`use that release or a newer one, or another --state-dir`},
	{source.CodeVaultSeveral, "Several vaults match the settings.",
		`select one with the flags that the error lists for it`},
	{source.CodeVaultNoKey, "There is no key to open a vault with.",
		`set the client secret (at least 32 characters), or --vault-key-file`},
	{source.CodeStateDir, "The state directory is not safe to use: others can write to it, or another user owns it.",
		`choose another with --state-dir, or chmod it to 700 and chown it to the user that runs infisync`},
	{source.CodeUnhealthy, "The secrets are not kept up to date: nothing was synced yet, a process that runs was synced too long ago, or the newest secrets made its child fail or cannot be passed to it.",
		`see "infisync status", and the log of the process that the error names`},

	{source.CodeExportImpossible, "The format cannot represent a secret's name or value.",
		`choose another --format, or omit the secret with --except`},
	{source.CodeExportFile, "The export file, or standard output, cannot be written.",
		`check the folder, its permissions and the free space, or what standard output is connected to`},
	{source.CodeHTTPListen, "infisync cannot listen on the --http address: another process uses it, it is not an address of this machine, or the port is reserved for root.",
		`choose another address with --http, or none with --http=; "ss -ltnp" shows what is listening`},

	{codeEnvName, "A secret's name is not possible for an environment variable.",
		`rename the secret, give it another name with --rename, or omit it with --except`},
	{"env-value", "A secret's value does not fit in an environment variable: it contains a NUL byte or is longer than the kernel allows.",
		`pass it as a file with --file NAME=/dev/shm/NAME, or omit it with --except: the kernel's limit is 128 KiB per variable`},
	{"env-too-large", "Arguments and environment together exceed the kernel's limit.",
		`pass the largest secret, which the error names, as a file with --file NAME=/dev/shm/NAME, or omit what the program does not need`},
	{source.CodeEnvPattern, "A pattern given to --only or --except is not a glob, or together they select no secret.",
		`correct the pattern: *, ? and [...] as in a shell; repeat the flag for several patterns`},
	{codeNamesWithheld, "Secrets have names that are reserved for the session, the loader, a shell or infisync: the child keeps its own.",
		`rename the secrets, omit them with --except, or allow one with --allow NAME`},
	{codeNameRefused, "A secret from the server would set an option of an interpreter, which lets whoever writes secrets run code.",
		`allow it with --allow NAME, or omit it with --except NAME`},
	{"no-command", "No command to run was given.",
		`put it after two dashes, as in: infisync run -- ./app`},
	{"not-found", "The command to run does not exist.",
		`check the command and PATH`},
	{"not-executable", "The command to run exists, but cannot be executed.",
		`check its mode and, for a script, its first line`},
	{"arguments-too-long", "The kernel refused to start the command: argument list too long.",
		`pass fewer or shorter arguments`},
	{"listen-failed", "A socket for the command could not be opened.",
		`check --listen: the address may be in use, or the path may not be writable`},
	{"file-failed", "A file for the command could not be written.",
		`check --file and --file-all: the folder must exist, and the path must not hold a file that infisync did not write`},
	{"start-failed", "The kernel refused to start the command.",
		`see the error; limits on processes or memory are the usual cause`},
	{"stopped", "A signal arrived before the command was started.",
		`start again if the stop was not intended`},

	{source.CodeInternal, "An unexpected error occurred.",
		`report it, with the message and the output of "infisync version"`},
}

// Rows are the codes with their causes and remedies.
func Rows() [][3]string {
	rows := make([][3]string, len(Codes))
	for i, e := range Codes {
		rows[i] = [3]string{string(e.Code), e.Cause, e.Remedy}
	}
	return rows
}

// Explain returns the entry of a code.
func Explain(code source.Code) (Entry, bool) {
	for _, entry := range Codes {
		if entry.Code == code {
			return entry, true
		}
	}
	return Entry{}, false
}

// Hint is what to do about err, in one line; empty when nothing is known.
func Hint(err error) string {
	if status, ok := errors.AsType[*infisical.StatusError](err); ok && source.CodeOf(err) == source.CodeLoginRefused {
		if remedy := identityRemedy(status); remedy != "" {
			return remedy
		}
	}
	entry, _ := Explain(source.CodeOf(err))
	return entry.Remedy
}

// HintTo is Hint for who has run a command, which is then named where its help is
// referred to; empty: the help of the whole is.
func HintTo(command string) func(error) string {
	return func(err error) string {
		return strings.Replace(Hint(err), "infisync COMMAND", strings.TrimSpace("infisync "+command), 1)
	}
}

// Write prints the code with its cause and remedy: in format "json" as one object,
// else in a line for each.
func (e Entry) Write(w io.Writer, format string) error {
	if format == "json" {
		return source.WriteJSON(w, e)
	}
	_, err := fmt.Fprintf(w, "%s\n  cause:  %s\n  remedy: %s\n", e.Code, e.Cause, e.Remedy)
	return err
}
