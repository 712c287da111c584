package infisical

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"infisync/source"
)

// A kind of failure is tried again once, after a wait of its own.
type kind int

const (
	final       kind = iota // trying again would change nothing
	rateLimited             // the server asks to wait
	serverError             // it, or a proxy before it, cannot answer now
	lost                    // no answer, or not a whole one
)

// A failure is why a request came to nothing.
type failure struct {
	err     *source.Error
	kind    kind
	wait    time.Duration // what the server asks for; 0: nothing
	refused bool          // the server said no: a write did not take effect
}

func (f *failure) Error() string { return f.err.Error() }

// judgeStatus says what an answer other than the one asked for means: first
// whether it is the API's, then whether the identity is locked or is asked to
// wait, then by its status.
func judgeStatus(c *call, resp *http.Response) *failure {
	status := &StatusError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header)}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+1))
	if contentType := resp.Header.Get("Content-Type"); err == nil && len(body) <= maxErrorBody &&
		(contentType == "" || isJSON(contentType)) {
		if said := readEnvelope(body, c.secret); said != nil {
			said.Status, said.RetryAfter = status.Status, status.RetryAfter
			return judgeEnvelope(c, said)
		}
	}
	f := &failure{wait: status.RetryAfter, refused: status.Status == http.StatusTooManyRequests}
	code, remark := source.CodeNotTheAPI, ", and not as the API does"
	switch {
	case status.Status == http.StatusTooManyRequests || status.RetryAfter > 0:
		code, remark, f.kind = source.CodeRateLimited, "", rateLimited
	case status.Status >= 500:
		code, f.kind = source.CodeServerError, serverError
	}
	f.err = source.Errorf(code, "%s: %w%s", c.doing, status, remark)
	return f
}

// judgeEnvelope says what the API's own error means.
func judgeEnvelope(c *call, said *StatusError) *failure {
	f := &failure{refused: true}
	said.Login = c.login
	code := codeOf(c, said)
	switch {
	case strings.Contains(strings.ToLower(said.Message), "temporarily locked"):
		code = source.CodeIdentityLocked
	case said.Status == http.StatusTooManyRequests || said.RetryAfter > 0:
		code, f.kind = source.CodeRateLimited, rateLimited
		f.wait = max(said.RetryAfter, secondsIn(said.Message))
		said.RetryAfter = f.wait
	case said.Status >= 500:
		code, f.kind, f.refused = source.CodeServerError, serverError, false
	}
	f.err = source.Errorf(code, "%s: %w", c.doing, said)
	if said.noRoute {
		f.err.Text += "; check the server's URL"
	}
	return f
}

// codeOf is the code of an error that is neither the server's own nor a limit.
func codeOf(c *call, said *StatusError) source.Code {
	switch {
	case said.noRoute:
		return source.CodeNotTheAPI
	case said.Name == "ValidationFailure": // old servers send 401 with it
		return source.CodeRequestRefused
	case c.login != "" && (said.Status == 401 || said.Status == 403 || said.Status == 404):
		return source.CodeLoginRefused
	case said.Status == 401, said.Status == 403 && said.Name == "TokenError":
		return source.CodeTokenRefused
	case said.Status == 403, hasPrefixFold(said.Message, "identity does not belong"):
		return source.CodeAccessDenied
	case said.Status == 404:
		return whatIsMissing(c, said)
	}
	return source.CodeRequestRefused
}

// whatIsMissing tells the kinds of 404 apart; the names of the errors differ from
// release to release, the beginnings of the messages hardly.
func whatIsMissing(c *call, said *StatusError) source.Code {
	for _, known := range []struct {
		prefix string
		code   source.Code
	}{
		{"folder ", source.CodePlaceNotFound},
		{"environment ", source.CodePlaceNotFound},
		{"secret ", source.CodeSecretNotFound},
		{"one or more secrets", source.CodeSecretNotFound},
		{"project ", source.CodeProjectNotFound},
		{"workspace ", source.CodeProjectNotFound},
		{"bot not found", source.CodeProjectNotFound}, // a project of the first generation
	} {
		if hasPrefixFold(said.Message, known.prefix) {
			return known.code
		}
	}
	switch said.Name {
	case "SecretPathNotFound":
		return source.CodePlaceNotFound
	case "bot_not_found_error":
		return source.CodeProjectNotFound
	}
	return c.notFound
}

// isJSON tells whether a content type is JSON's, in the only encoding it has.
func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// retryAfter reads the header of that name: seconds or a date. Without one, or
// with one that says nothing, it is 0, and at least a second otherwise.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 1), 1<<30)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Second
	}
	return max(time.Until(at), time.Second)
}

// secondsIn reads the wait out of "Please try again in 42 seconds".
func secondsIn(message string) time.Duration {
	_, after, _ := strings.Cut(strings.ToLower(message), "try again in ")
	digits, _, _ := strings.Cut(after, " ")
	seconds, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return time.Duration(min(max(seconds, 0), 1<<30)) * time.Second
}
