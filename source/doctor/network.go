package doctor

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"infisync/source"
)

const (
	// certSoon is how long before its end a certificate should have been renewed
	// at the latest, by whatever renews it.
	certSoon = 7 * 24 * time.Hour

	// maxSkew is how far clocks may differ before it shows in certificates and
	// tokens.
	maxSkew = 30 * time.Second
)

// dns looks the server up, or the proxy on the way to it.
func (c *checkup) dns(ctx context.Context) Item {
	target := c.server
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: c.server})
	switch {
	case err != nil:
		return failure(source.CodeUnreachable, "choosing a proxy: %v", err) // as a CGI program, which must not trust HTTP_PROXY
	case proxy != nil:
		target, c.proxied = proxy, true
	}
	c.host, c.port = target.Hostname(), portOf(target)
	if _, err := netip.ParseAddr(c.host); err == nil {
		return ok("%s is an address%s", c.host, c.through())
	}
	ctx, cancel := limited(ctx, c.policy.Dial)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, c.host)
	if err != nil {
		item := failure(source.CodeUnreachable, "looking up the host%s: %v", c.through(), err)
		item.Remedy = "check the host in INFISICAL_URL, and this machine's DNS"
		return item
	}
	return ok("%s is %s%s", c.host, strings.Join(addresses, ", "), c.through())
}

// through says that what is talked to is not the server itself.
func (c *checkup) through() string {
	if c.proxied {
		return " (the proxy)"
	}
	return ""
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	switch u.Scheme {
	case "https":
		return "443"
	case "socks5", "socks5h":
		return "1080"
	}
	return "80"
}

func (c *checkup) tcp(ctx context.Context) Item {
	ctx, cancel := limited(ctx, c.policy.Dial)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(c.host, c.port))
	if err != nil {
		item := failure(source.CodeUnreachable, "connecting%s: %v", c.through(), err)
		if !c.proxied {
			item.Remedy = "check host and port in INFISICAL_URL, that the server runs, and the firewalls between"
		}
		return item
	}
	defer conn.Close()
	return ok("connected to %s%s", conn.RemoteAddr(), c.through())
}

// tls makes the first request, and judges what it says of the certificate. The
// rest of the answer is left to api.
func (c *checkup) tls(ctx context.Context) Item {
	if c.ClientErr != nil {
		return failed(c.ClientErr)
	}
	c.status, c.statusErr = c.Client.Status(ctx)
	if c.server.Scheme != "https" {
		return skipped("plain http has no certificate")
	}
	switch source.CodeOf(c.statusErr) {
	case "":
		end, left := c.status.CertExpiry.Format(time.DateOnly), time.Until(c.status.CertExpiry)
		if left < certSoon {
			return warning(CodeCertExpiry, "the certificate expires on %s, in %s", end, left.Round(time.Minute))
		}
		return ok("the certificate is good until %s", end)
	case source.CodeTLS:
		item := failed(c.statusErr)
		item.Remedy = certRemedy(item.Text)
		return item
	case source.CodeUnreachable, source.CodeTimeout:
		return skipped("no response to check")
	}
	return ok("the certificate is accepted")
}

// certRemedy is what to do about one kind of bad certificate; empty: what the
// code says.
func certRemedy(text string) string {
	switch {
	case strings.Contains(text, "unknown authority"):
		return "name the certificate of the private CA with --ca-file or SSL_CERT_FILE"
	case strings.Contains(text, "not for this host"):
		return "use a host name in INFISICAL_URL that the certificate is for"
	case strings.Contains(text, "expired"):
		return "renew the server's certificate, and check this machine's clock"
	}
	return ""
}

// api judges the answer of /api/status.
func (c *checkup) api(context.Context) Item {
	if c.statusErr != nil {
		return failed(c.statusErr)
	}
	return ok("the API answers %q after %s", c.status.Message, c.status.Took.Round(time.Millisecond))
}

// clock compares the clocks by the answer's Date.
func (c *checkup) clock(context.Context) Item {
	skew := c.status.Skew
	switch {
	case c.status.Time.IsZero():
		return skipped("the server does not send its time")
	case skew > maxSkew:
		return warning(CodeClockSkew, "the server's clock is ahead by %s", skew)
	case skew < -maxSkew:
		return warning(CodeClockSkew, "the server's clock is behind by %s", -skew)
	}
	return ok("the clocks agree within %s", maxSkew)
}
