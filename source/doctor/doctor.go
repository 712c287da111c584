// Package doctor explains failures: the stable codes with their causes and
// remedies ([Codes], [Explain], [Hint]), and the checklist that finds out what is
// wrong before a start does ([Run]).
package doctor

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/config"
	"infisync/source/infisical"
	"infisync/source/state"
	"infisync/source/vault"
)

// An Input is what the checklist looks at. Nothing of it has to be right, nor
// complete: what is missing is an item's result.
type Input struct {
	Settings *config.Settings // needed; not checked before

	Client    *infisical.Client // nil when ClientErr says why there is none
	ClientErr error
	Login     infisical.Login // the Client's; nil without a Client

	Key      vault.Key // zero: there is no vault
	KeyErr   error     // why the key cannot be used
	StateDir string    // empty: there is none

	Args    []string // this process's command line
	Environ []string // the environment that it was given, as os.Environ has it

	// Judge returns the code of what keeps a secret out of a child's environment,
	// as package inject has them, and an empty one for a secret that a child gets.
	// nil lets everything through.
	Judge func(source.Secret) source.Code
}

// A Result is how an item came out.
type Result string

// The results. Only Failed keeps infisync from working.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// An Item is one line of the checklist. It holds no secret.
type Item struct {
	Name   string      `json:"name"` // stable across releases
	Result Result      `json:"result"`
	Code   source.Code `json:"code,omitempty"` // of a failure or warning, for Explain; else empty
	Text   string      `json:"text"`           // what was found, or why the item was skipped
	Remedy string      `json:"remedy,omitempty"`
}

// A Report is all items, in the order in which a start meets them.
type Report []Item

// Failed tells whether an item failed.
func (r Report) Failed() bool {
	for _, item := range r {
		if item.Result == Failed {
			return true
		}
	}
	return false
}

// A check finds out about one item. It is skipped when one of those it needs
// failed.
type check struct {
	name  string
	needs []string
	run   func(*checkup, context.Context) Item
}

func checks() []check {
	return []check{
		{"configuration-file", nil, (*checkup).files},
		{"url", nil, (*checkup).url},
		{"client-id", nil, (*checkup).clientID},
		{"client-secret", nil, (*checkup).clientSecret},
		{"scheme", []string{"url"}, (*checkup).scheme},
		{"dns", []string{"url"}, (*checkup).dns},
		{"tcp", []string{"dns"}, (*checkup).tcp},
		{"tls", []string{"scheme", "tcp"}, (*checkup).tls},
		{"status", []string{"tls"}, (*checkup).api},
		{"clock", []string{"status"}, (*checkup).clock},
		{"login", []string{"client-id", "client-secret", "status"}, (*checkup).login},
		{"token", []string{"login"}, (*checkup).token},
		{"projects", []string{"token"}, (*checkup).project},
		{"places", []string{"projects"}, (*checkup).place},
		{"permission", []string{"places"}, (*checkup).permission},
		{"names", []string{"permission"}, (*checkup).names},
		{"refused-names", []string{"permission"}, (*checkup).refusedNames},
		{"values", []string{"permission"}, (*checkup).values},
		{"state-directory", nil, (*checkup).stateDirectory},
		{"vault", []string{"state-directory"}, (*checkup).vault},
		{"argv", nil, (*checkup).argv},
		{"variables", nil, (*checkup).variables},
	}
}

// Run goes through the checklist. It asks the server about ten times and for each
// thing once, logs in once, and a login that is refused counts among those that
// state.BeginLogin remembers: running it again and again does not lock the
// identity. A state directory that is missing is made. When ctx ends, what still
// needs the network fails.
func Run(ctx context.Context, in Input) Report {
	c := &checkup{Input: in, broken: make(map[string]string), judged: make(map[source.Code][]string)}
	policy := infisical.DefaultPolicy()
	if in.Client != nil {
		policy = in.Client.Policy()
		policy.Retry = false // a person is waiting, and wants to see the first failure
		c.Client = in.Client.With(policy)
		defer c.Client.Close()
	}
	c.policy = policy
	if in.StateDir != "" {
		c.stateErr = state.Prepare(in.StateDir)
	}
	c.wanted, c.wantedErr = in.Settings.Places()

	var report Report
	for _, check := range checks() {
		report = append(report, c.do(ctx, check))
	}
	return report
}

// A checkup is one run of the checklist. Each check leaves here what later ones
// need.
type checkup struct {
	Input
	policy infisical.Policy
	broken map[string]string // name of an item that failed or was skipped for another → the item that failed

	stateErr  error // why the state directory cannot be used
	wanted    []source.Place
	wantedErr error

	server    *url.URL // normalised
	host      string   // where connections go: the server's, or the proxy's
	port      string
	proxied   bool
	status    infisical.Status
	statusErr error

	session     *infisical.Session
	projects    []infisical.Project
	projectsErr error
	places      []source.Place // wanted, with their projects
	set         source.Set
	judged      map[source.Code][]string // code from Judge → names
}

func (c *checkup) do(ctx context.Context, check check) Item {
	for _, need := range check.needs {
		if root := c.broken[need]; root != "" {
			c.broken[check.name] = root
			return Item{Name: check.name, Result: Skipped, Text: root + " failed"}
		}
	}
	item := check.run(c, ctx)
	item.Name, item.Text = check.name, c.redact(item.Text)
	if item.Result == Failed {
		c.broken[check.name] = check.name
	}
	if entry, ok := Explain(item.Code); ok && item.Remedy == "" {
		item.Remedy = entry.Remedy
	}
	return item
}

// redact takes the credentials out of a text. Nothing prints them; but what was
// set as something else, such as a secret pasted into a file's variable, is
// named in errors.
func (c *checkup) redact(text string) string {
	for _, secret := range c.credentials() {
		quoted := strconv.Quote(secret)
		for _, form := range []string{secret, quoted[1 : len(quoted)-1]} {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return text
}

// credentials are the texts of the client secret, the ready token and the JWT, as
// far as they are set and long enough not to be an ordinary word.
func (c *checkup) credentials() []string {
	const shortest = 8
	var texts []string
	s := c.Settings.Credentials
	for _, read := range []func() (source.Value, error){s.Secret, s.Token, s.JWT} {
		if value, err := read(); err == nil && len(value.Reveal()) >= shortest {
			texts = append(texts, value.Reveal())
		}
	}
	return texts
}

func ok(format string, args ...any) Item { return Item{Result: OK, Text: fmt.Sprintf(format, args...)} }

func skipped(format string, args ...any) Item {
	return Item{Result: Skipped, Text: fmt.Sprintf(format, args...)}
}

func warning(code source.Code, format string, args ...any) Item {
	return Item{Result: Warning, Code: code, Text: fmt.Sprintf(format, args...)}
}

func failure(code source.Code, format string, args ...any) Item {
	return Item{Result: Failed, Code: code, Text: fmt.Sprintf(format, args...)}
}

// failed is a failure as an error has it.
func failed(err error) Item { return Item{Result: Failed, Code: source.CodeOf(err), Text: err.Error()} }

// limited bounds one step; a limit of 0 is none.
func limited(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}
