// Package infisical speaks with an Infisical server over its HTTP API.
//
// A [Client] knows one server and one identity. [Client.Login] trades the
// identity's credentials for a [Session], which holds one token in memory only
// and reads and writes secrets with it. A Session whose token the server stops
// accepting logs in again by itself, once for each token that worked.
//
// Nothing of an answer is believed before it has proved to be the API's: its
// content type, its shape, every item of a listing. A listing is whole or an
// error. Every error is a [*source.Error] with a stable code; one that the server
// answered with wraps a [*StatusError]. None of them, and nothing that is logged,
// holds a value, a token, a client secret or a body.
//
// Servers without the v4 routes are served through v3, which the client finds out
// by itself and remembers.
package infisical

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"infisync/source"
)

// A Config says which server to ask, as whom, and how.
type Config struct {
	URL        string // as the user gave it
	AllowHTTP  bool   // plain http to other hosts than this one
	CAFile     string // PEM file of roots trusted besides the system's; empty: none
	ClientCert string // PEM files of a client certificate and its key; both or none.
	ClientKey  string // They are read anew at each connection.

	Headers      map[string]string // sent with every request, only to this server
	Organization string            // slug of a sub-organization; empty: the identity's own
	UserAgent    string            // empty: "infisync"

	Login  Login        // needed by [Client.Login] only
	Policy Policy       // zero: DefaultPolicy
	Log    *slog.Logger // nil: silent. Requests at debug level, repeated ones at info.

	Legacy bool // the server is known to have no v4 routes

	// Origin tells where a field was set, by the name of its flag, for errors. Nil: they
	// name the flag.
	Origin func(flag string) string

	// Transport sends the requests. Nil: they go over the network, as the fields above say.
	Transport http.RoundTripper
}

// A Client talks to one Infisical server. It is safe for concurrent use. Close it
// after use.
type Client struct {
	base    string // ends in "/api"
	headers map[string]source.Value
	org     string
	agent   string
	login   Login
	policy  Policy
	log     *slog.Logger
	http    *http.Client
	known   *known
}

// known is what the clients made from one by With have learnt of the server.
type known struct {
	legacy    atomic.Bool // no v4: its list route does not exist
	workspace atomic.Bool // projects are still called workspaces
}

// New checks cfg and returns a Client. It connects to nothing. Errors have the
// codes config-invalid and http-not-allowed.
func New(cfg Config) (*Client, error) {
	if cfg.Origin == nil {
		cfg.Origin = func(flag string) string { return "--" + flag }
	}
	base, err := NormalizeURL(cfg.URL)
	if err != nil {
		return nil, source.Errorf(source.CodeConfigInvalid, "%s: %w", cfg.Origin("url"), err)
	}
	if err := checkScheme(base, cfg.AllowHTTP); err != nil {
		return nil, err
	}
	headers, err := checkHeaders(cfg.Headers)
	if err != nil {
		return nil, err
	}
	if !validHeaderValue(cfg.Organization) || !validHeaderValue(cfg.UserAgent) {
		return nil, source.Errorf(source.CodeConfigInvalid, "%s: the organization or the user agent holds a control character", cfg.Origin("organization"))
	}
	if cfg.Policy == (Policy{}) {
		cfg.Policy = DefaultPolicy()
	}
	transport := cfg.Transport
	if transport == nil {
		if transport, err = newTransport(cfg); err != nil {
			return nil, err
		}
	}
	c := &Client{
		base:    base,
		headers: headers,
		org:     cfg.Organization,
		agent:   cfg.UserAgent,
		login:   cfg.Login,
		policy:  cfg.Policy,
		log:     cfg.Log,
		http:    &http.Client{Transport: transport, CheckRedirect: checkRedirect, Timeout: cfg.Policy.Answer},
		known:   &known{},
	}
	if c.agent == "" {
		c.agent = "infisync"
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.known.legacy.Store(cfg.Legacy)
	return c, nil
}

// With returns a Client for the same server, with the same connections, that
// keeps to p. The zero p stands for DefaultPolicy; p.Dial has no effect.
func (c *Client) With(p Policy) *Client {
	if p == (Policy{}) {
		p = DefaultPolicy()
	}
	other := *c
	other.policy = p
	other.http = &http.Client{Transport: c.http.Transport, CheckRedirect: checkRedirect, Timeout: p.Answer}
	return &other
}

// Policy returns what the client keeps to.
func (c *Client) Policy() Policy { return c.policy }

// URL returns the normalised base, ending in "/api".
func (c *Client) URL() string { return c.base }

// Legacy tells whether the server proved to have no v4 routes.
func (c *Client) Legacy() bool { return c.known.legacy.Load() }

// String returns the base URL.
func (c *Client) String() string { return c.base }

// GoString returns the base URL.
func (c *Client) GoString() string { return c.base }

// Close closes the connections that are not in use, as between two polls. The
// client and those made from it can be used again afterwards.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// reserved headers are the client's own, would win over the token (X-Api-Key), or
// would change what the answer means.
const reserved = " accept accept-encoding authorization connection content-encoding content-length content-type " +
	"host if-none-match te trailer transfer-encoding upgrade user-agent x-api-key x-infisical-org "

func checkHeaders(headers map[string]string) (map[string]source.Value, error) {
	checked := make(map[string]source.Value, len(headers))
	for name, value := range headers {
		switch {
		case !validHeaderName(name):
			return nil, source.Errorf(source.CodeConfigInvalid, "INFISICAL_CUSTOM_HEADERS: header %q has a name that is invalid in HTTP", name)
		case strings.Contains(reserved, " "+strings.ToLower(name)+" "):
			return nil, source.Errorf(source.CodeConfigInvalid, "INFISICAL_CUSTOM_HEADERS: header %q cannot be set", name)
		case !validHeaderValue(value):
			return nil, source.Errorf(source.CodeConfigInvalid, "INFISICAL_CUSTOM_HEADERS: header %q has a value with control characters", name)
		}
		checked[name] = source.NewValue(value)
	}
	return checked, nil
}

func validHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func validHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
