package infisical

import (
	"net"
	"net/url"
	"strings"

	"infisync/source"
)

// NormalizeURL gives a server's address the form that requests are built from:
// scheme and host in lower case, no default port, ending in "/api" whether or not
// s does. An address that is no http or https URL, or that holds a user name, a
// password, a query or a fragment, is a CodeConfigInvalid. The error does not
// repeat s, which may hold a password, or be a secret in the wrong place.
func NormalizeURL(s string) (string, error) {
	invalid := func(format string, args ...any) (string, error) {
		return "", source.Errorf(source.CodeConfigInvalid, format, args...)
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return invalid("the server URL is empty; write it like https://app.infisical.com")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return invalid("the server URL cannot be read; write it like https://app.infisical.com")
	case u.User != nil:
		return invalid("the server URL holds a user name or password; take it out")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return invalid("the server URL does not begin with https:// and a host, as in https://app.infisical.com")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return invalid("the server URL has a query or a fragment; leave out what follows the path")
	}
	host := strings.ToLower(u.Host)
	if defaultPort := map[string]string{"http": "80", "https": "443"}[u.Scheme]; u.Port() == defaultPort || u.Port() == "" {
		host = strings.TrimSuffix(host, ":"+u.Port())
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, "/api"), "/")
	return u.Scheme + "://" + host + path + "/api", nil
}

// checkScheme refuses plain http to another machine: what is sent over it, the
// client secret first, can be read on the way.
func checkScheme(base string, allowHTTP bool) error {
	u, err := url.Parse(base)
	if err != nil {
		return source.Errorf(source.CodeConfigInvalid, "the server URL cannot be read")
	}
	if u.Scheme == "https" || allowHTTP || isLoopback(u.Hostname()) {
		return nil
	}
	return source.Errorf(source.CodeHTTPNotAllowed, "plain http to %q would send the credentials unencrypted", u.Host)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// origin is what decides whether a redirect leaves the server.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
