package doctor

import (
	"encoding/json"
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
	{source.CodeConfigInvalid, "A setting from a variable or a file cannot be used.",
		`correct the setting that the error names`},
	{source.CodeNothingConfigured, "Neither a server nor a credential is set, and there is no .env file.",
		`set INFISICAL_URL, INFISICAL_CLIENT_ID, INFISICAL_CLIENT_SECRET and INFISICAL_ENVIRONMENT, or write a .env file`},
	{source.CodePartMissing, "A server without a credential is set, or the reverse, or half a credential.",
		`set what is missing: INFISICAL_URL, and INFISICAL_CLIENT_ID with INFISICAL_CLIENT_SECRET or INFISICAL_CLIENT_SECRET_FILE, or what another --auth takes`},
	{source.CodeNoEnvironment, "No environment is set; infisync does not guess one.",
		`name one with --env or INFISICAL_ENVIRONMENT`},
	{source.CodeSeveralProjects, "The identity sees several projects and none was named.",
		`name one with --project or INFISICAL_PROJECT_ID, or take them all with --all-projects`},
	{source.CodeHTTPNotAllowed, "The URL is plain http:// and not this machine's own: credentials would travel readable.",
		`use https://, or allow it with --allow-http where the network is trusted`},
	{source.CodeCredentialInvalid, "An id or what proves it cannot be one: an example's placeholder, both the same, quotes or white space in it, a JWT without its three parts.",
		`copy client id and client secret anew from the machine identity's universal auth, without quotes; for a JWT check what writes it`},
	{source.CodeSecretInArgv, "A credential stands on the command line, which every user of the machine can read.",
		`set INFISICAL_CLIENT_SECRET, INFISICAL_TOKEN or INFISICAL_JWT, or name a file with --client-secret-file or --jwt-file, and replace the client secret, token or JWT: it is no secret any more`},

	{source.CodeUnreachable, "No connection to the server, or it was lost: wrong host or port, DNS, a firewall, or the server is down.",
		`check INFISICAL_URL and that the server answers at URL/api/status`},
	{source.CodeTLS, "The server's certificate was not accepted.",
		`for a private CA name its certificate with --ca-file or SSL_CERT_FILE; check the host name and the dates`},
	{source.CodeTimeout, "The server did not answer in time.",
		`check the server's health and the network between`},
	{source.CodeServerError, "The server reported an error of its own.",
		`look into the server's log; the request id is in the error when the server gave one`},
	{source.CodeRateLimited, "The server refuses for a while, since it got too many requests from this address.",
		`poll less often (--interval), or let one "infisync sync --watch" serve several "run --start offline"`},
	{source.CodeNotTheAPI, "What answered is not the Infisical API: a web page, a proxy, a login portal, or a cut answer.",
		`check INFISICAL_URL: URL/api/status must answer with JSON`},
	{source.CodeRedirect, "The server redirects to another origin; credentials are not sent there.",
		`set INFISICAL_URL to the address it redirects to, if you trust it`},
	{source.CodeNoAccessToken, "The login was answered with success, but without an accessToken: a gateway or another service answers in the server's place.",
		`check that INFISICAL_URL is the Infisical server itself and that nothing between rewrites its answers`},
	{source.CodeIdentityLocked, "The identity is locked for some minutes after failed logins, for everyone who uses it.",
		`correct the client secret wherever it is wrong, then wait five minutes`},
	{source.CodeLoginWithheld, "This client secret or JWT was refused twice just now; a third login could lock the identity for everyone.",
		`correct it (another one is tried at once), or wait half a minute`},
	{CodeCertExpiry, "The server's certificate ends soon.",
		`renew the server's certificate`},
	{CodeClockSkew, "The clocks of this machine and of the server differ: certificates and tokens seem to end too early or too late.",
		`let both machines take their time from NTP`},
	{source.CodeStartupTimeout, "The first pull took longer than the start may take.",
		`raise --startup-timeout, or start from the vault with --start vault`},

	{source.CodeLoginRefused, "The server does not know this id, or does not accept what proves it: a client secret that is wrong, expired or used up, or a JWT.",
		`create a new client secret for the machine identity and set INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET`},
	{source.CodeTokenRefused, "The access token is expired, revoked, used up or not meant for this.",
		`set a fresh INFISICAL_TOKEN; if infisync logged in itself, look at the identity's access token TTL, number of uses and trusted IPs`},
	{CodeTokenLife, "The server gives the identity tokens that end almost at once.",
		`raise the access token TTL in the identity's settings of its login`},
	{source.CodeAccessDenied, "The identity is known but may not do this.",
		`give the machine identity a role in the project that may do what the error names`},

	{source.CodeProjectNotFound, "There is no such project, or the identity is not a member of it.",
		`check --project (the id, not the name) and that the identity is a member`},
	{source.CodePlaceNotFound, "The project has no such environment or folder.",
		`check --env (the slug, not the display name) and --path`},
	{source.CodeSecretNotFound, "There is no secret of that name in that place.",
		`check the name; names are case-sensitive`},
	{source.CodeValueMasked, "The identity may see that a secret is there, but not its value.",
		`give the identity's role the permission to read values, or leave the secret out of the place`},
	{source.CodeNothingFound, "A place lists no secret at all. Servers also answer so for a folder that is not there.",
		`check --env and --path, or allow it with --allow-empty`},
	{source.CodeNameInvalid, "A secret's name holds other characters than A-Z, 0-9 and _, or begins with a digit: shells cannot name such a variable, and servers refuse some.",
		`rename the secret, or give it another name with --rename OLD=NEW; "infisync push --normalize" does it when writing`},
	{source.CodeRequestRefused, "The server understood the request and refuses it.",
		`correct what the server's message names`},

	{source.CodeDotenvMissing, "A .env file that was named is not there.",
		`check the path that the error names, and the working directory it begins at`},
	{source.CodeDotenvInvalid, "A .env file cannot be read as one.",
		`correct the line that the error names: NAME=value, quotes closed`},
	{source.CodeVaultMissing, "There is no vault for these settings yet: nothing was pulled with them on this machine.",
		`start once with the server in reach, or run "infisync sync"`},
	{source.CodeVaultStale, "The vault was pulled longer ago than --max-stale allows, or is older than what the state file beside it announces.",
		`bring the server back, or raise --max-stale; give who follows the vault the client secret or key of who keeps it`},
	{source.CodeVaultKey, "The vault does not open: it was sealed with another key, or it is damaged.",
		`start once with the server in reach: a new vault is written, the old file is kept beside it`},
	{source.CodeVaultScope, "The vault was sealed for another server, identity or place.",
		`do not copy vaults between environments; start once with the server in reach`},
	{source.CodeVaultFormat, "The vault was written by a newer infisync.",
		`use that release or a newer one, or name another --state-dir`},
	{source.CodeVaultSeveral, "Several vaults fit the settings.",
		`choose one with the flags that the error lists for it`},
	{source.CodeVaultNoKey, "There is no key to open a vault with.",
		`set the client secret (at least 32 characters), or --vault-key-file`},
	{source.CodeStateDir, "The state directory cannot be used safely: others can write in it, or another user owns it.",
		`name another with --state-dir, or: chmod 700 and chown it to the user that runs infisync`},
	{source.CodeUnhealthy, "The secrets are not kept up: nothing was synced yet, a process that runs was synced too long ago, or the newest secrets made its child fail.",
		`see "infisync status", and the log of the process that the error names`},

	{source.CodeExportImpossible, "The format cannot carry a secret's name or value as it is.",
		`choose another --format, or leave the secret out with --except`},
	{source.CodeExportFile, "The file to export to cannot be written.",
		`check the folder, its permissions and the space left`},
	{source.CodeHTTPListen, "The address to be watched at cannot be listened on: another process has it, it is not this machine's, or its port is for root only.",
		`choose another address with --http, or none with --http=; "ss -ltnp" shows who listens`},

	{codeEnvName, "A secret's name cannot be an environment variable's.",
		`rename the secret, give it another name with --rename, or leave it out with --except`},
	{"env-value", "A secret's value cannot be an environment variable's: it holds a NUL byte or is longer than the kernel allows.",
		`give it in a file with --file NAME=/dev/shm/NAME, or leave it out with --except: the kernel's limit is 128 KiB for one variable`},
	{"env-too-large", "Arguments and environment together are larger than the kernel allows.",
		`give the largest secret, which the error names, in a file with --file NAME=/dev/shm/NAME, or leave out what the program does not need`},
	{source.CodeEnvPattern, "A pattern given to --only or --except is not a glob, or together they leave no secret.",
		`correct the pattern: *, ? and [...] as in a shell; several patterns are several flags`},
	{codeNamesWithheld, "Secrets have names that belong to the session, the loader, a shell or infisync: the child keeps its own.",
		`rename the secrets, leave them out with --except, or let one through with --allow NAME`},
	{codeNameRefused, "A secret from the server would set an option of an interpreter, which lets whoever writes secrets run code.",
		`let it through with --allow NAME, or leave it out with --except NAME`},
	{"no-command", "No command to run was given.",
		`put it behind two dashes, as in: infisync run -- ./app`},
	{"not-found", "The command to run is not there.",
		`check the command and PATH`},
	{"not-executable", "The command to run is there, but cannot be executed.",
		`check its mode, and for a script its first line`},
	{"arguments-too-long", "The kernel refused to start the command: argument list too long.",
		`pass fewer or shorter arguments`},
	{"listen-failed", "A socket that the command is to be given could not be opened.",
		`check --listen: the address may be in use, or the path not writable`},
	{"file-failed", "A file that the command is to be given could not be written.",
		`check --file and --file-all: the folder must be there, and at the path nothing that infisync did not write`},
	{"start-failed", "The kernel refused to start the command.",
		`see the error; limits on processes or memory are the usual cause`},
	{"stopped", "A signal came before the command was started.",
		`start again, if the stop was not meant`},

	{source.CodeInternal, "Something happened that infisync has no name for.",
		`report it, with the message and "infisync version"`},
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
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	_, err := fmt.Fprintf(w, "%s\n  cause:  %s\n  remedy: %s\n", e.Code, e.Cause, e.Remedy)
	return err
}
