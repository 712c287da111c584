package infisical

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"infisync/source"
)

// judgeNetwork says why no whole answer came. It builds the text itself: an error
// of net/http may quote what the other side sent, and holds the whole URL. The
// request took so long.
func judgeNetwork(ctx context.Context, c *Client, doing string, took time.Duration, err error) *failure {
	var coded *source.Error
	if errors.As(err, &coded) {
		return &failure{err: &source.Error{Code: coded.Code, Text: doing + ": " + coded.Text, Err: coded.Err}, refused: true}
	}
	if ctx.Err() != nil {
		return &failure{err: source.Errorf(source.CodeTimeout, "%s: %w", doing, ctx.Err())}
	}
	if reason := tlsReason(err); reason != "" {
		return &failure{err: source.Errorf(source.CodeTLS, "%s: TLS with %q: %s", doing, c.base, reason)}
	}
	f := &failure{kind: lost}
	var dns *net.DNSError
	op := operation(err)
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		f.err = source.Errorf(source.CodeUnreachable, "%s: %w", doing, dns)
	case op != nil && op.Op == "dial" && op.Timeout():
		f.err = source.Errorf(source.CodeUnreachable, "%s: no connection to %v within %v", doing, op.Addr, c.policy.Dial)
	case errors.As(err, &timeout) && timeout.Timeout(),
		// Which error a body ends with when the time is over depends on who notices.
		c.policy.Answer > 0 && took >= c.policy.Answer:
		f.err = source.Errorf(source.CodeTimeout, "%s: no answer within %v", doing, c.policy.Answer)
	case op != nil && errors.As(op, &errno):
		f.err = source.Errorf(source.CodeUnreachable, "%s: %s %v: %w", doing, op.Op, op.Addr, errno)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.err = source.Errorf(source.CodeUnreachable, "%s: %q closed the connection", doing, c.base)
	default:
		f.err = source.Errorf(source.CodeUnreachable, "%s: connection with %q lost", doing, c.base)
	}
	return f
}

// operation is the innermost network operation that failed, nil when there is none:
// one with a proxy wraps another that has the address.
func operation(err error) *net.OpError {
	op, _ := errors.AsType[*net.OpError](err)
	for op != nil {
		inner, ok := errors.AsType[*net.OpError](op.Err)
		if !ok {
			break
		}
		op = inner
	}
	return op
}

// tlsReason is why a TLS connection was not made; empty when err is of another
// kind.
func tlsReason(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     *net.OpError
		whole     *url.Error
	)
	switch {
	case errors.As(err, &authority):
		return "certificate signed by an unknown authority"
	case errors.As(err, &host):
		return oneLine(fmt.Sprintf("certificate is not for this host: %v", host), maxMessage)
	case errors.As(err, &invalid):
		return oneLine(invalid.Error(), maxMessage)
	case errors.As(err, &verify):
		return oneLine(verify.Error(), maxMessage)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return "the other side does not speak TLS"
	case errors.As(err, &alert) && strings.HasSuffix(alert.Op, " error"): // "remote error", "local error"
		return oneLine(alert.Err.Error(), maxMessage)
	case errors.As(err, &whole) && strings.HasPrefix(whole.Err.Error(), "tls: "):
		return oneLine(whole.Err.Error(), maxMessage)
	}
	return ""
}
