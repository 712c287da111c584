package infisical

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"infisync/source"
)

// A call is one request to the API: what to send, and how to read what comes.
type call struct {
	doing  string // how an error begins: `listing "p:dev:/"`
	method string
	path   string // below the base, escaped
	query  url.Values
	body   []byte         // JSON; nil: none
	bearer source.Value   // empty: no Authorization header
	etag   string         // for If-None-Match; empty: none
	secret []source.Value // what must not come back in an error

	login    string      // the method, of a login: 401, 403 and 404 refuse the credentials
	write    bool        // must not be sent twice by itself
	notFound source.Code // of a 404 that does not say what is missing

	// read takes an answer of status 200 or 201 and JSON's content type, or of status
	// 304 to an etag. Its error is the caller's when it has a code; any other
	// means that the body is not the API's. It is called again for each try.
	read func(resp *http.Response, body io.Reader) error
}

// A try is a call on its way, through all its repetitions. One goroutine owns it.
type try struct {
	*call
	client  *Client
	ctx     context.Context
	spent   map[kind]bool // kinds of failure that were tried again
	wait    time.Duration // before the next one
	again   bool          // there is a next one
	failure *failure      // of the last one; nil: it succeeded
	started time.Time     // the last one
	sent    atomic.Bool   // the last one's headers went out
}

// do makes the call, and makes it again where the policy allows.
func (c *Client) do(ctx context.Context, call *call) error {
	t := &try{call: call, client: c, spent: make(map[kind]bool)}
	t.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Of itself net/http takes another connection only when nothing went out on the
		// first, or when repeating a request is harmless.
		GetConn:      func(string) { t.sent.Store(false) },
		WroteHeaders: func() { t.sent.Store(true) },
	})
	req, err := t.request()
	if err != nil {
		return err
	}
	retry := &retryablehttp.Client{
		HTTPClient:     c.http,
		RetryMax:       len([]kind{rateLimited, serverError, lost}),
		CheckRetry:     t.check,
		Backoff:        func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return t.wait },
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
		RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { t.started = time.Now() },
	}
	// What it returns was seen by check and handle before, but for one thing: the
	// context ending while it waits.
	_, err = retry.Do(req)
	switch {
	case t.failure == nil:
		return nil
	case t.again && err != nil && ctx.Err() != nil:
		return source.Errorf(source.CodeTimeout, "%s; while waiting to try again: %w", t.failure.err.Text, ctx.Err())
	case t.write && t.sent.Load() && !t.failure.refused:
		return &UnknownOutcome{Err: t.failure.err}
	}
	return t.failure.err
}

func (t *try) request() (*retryablehttp.Request, error) {
	target := t.client.base + t.path
	if len(t.query) > 0 {
		target += "?" + t.query.Encode()
	}
	var body any
	if t.body != nil {
		body = t.body
	}
	req, err := retryablehttp.NewRequestWithContext(t.ctx, t.method, target, body)
	if err != nil {
		return nil, source.Errorf(source.CodeConfigInvalid, "%s: the request has no valid URL", t.doing)
	}
	for name, value := range t.client.headers {
		req.Header.Set(name, value.Reveal())
		t.secret = append(t.secret, value)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", t.client.agent)
	if t.client.org != "" {
		req.Header.Set("X-Infisical-Org", t.client.org)
	}
	if !t.bearer.Empty() {
		req.Header.Set("Authorization", "Bearer "+t.bearer.Reveal())
		t.secret = append(t.secret, t.bearer)
	}
	if t.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if t.etag != "" {
		req.Header.Set("If-None-Match", t.etag)
	}
	req.SetResponseHandler(t.handle)
	return req, nil
}

// check is asked after every request, and again after handle: whether to send it
// once more.
func (t *try) check(_ context.Context, _ *http.Response, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	if f, ok := errors.AsType[*failure](err); ok && f == t.failure {
		return t.again, nil // handle has decided
	}
	t.failure = judgeNetwork(t.ctx, t.client, t.doing, time.Since(t.started), err)
	t.decide()
	t.client.log.LogAttrs(t.ctx, slog.LevelDebug, "no answer", slog.String("method", t.method), slog.String("path", t.path),
		slog.String("code", t.failure.err.ErrorCode()), slog.Duration("took", time.Since(t.started)))
	return t.again, nil
}

// handle reads the answer. It returns an error only where the call is to be made
// again, because any other closes connections that can still be used.
func (t *try) handle(resp *http.Response) error {
	body := &limitedBody{reader: resp.Body, limit: t.client.policy.MaxBody}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	defer resp.Body.Close()
	t.failure = t.judge(resp, body)
	t.decide()
	t.client.log.LogAttrs(t.ctx, slog.LevelDebug, "answer", slog.String("method", t.method), slog.String("path", t.path),
		slog.Int("status", resp.StatusCode), slog.Int64("bytes", body.read), slog.Duration("took", time.Since(t.started)))
	if t.again {
		return t.failure
	}
	return nil
}

// judge returns nil when the answer is what was asked for.
func (t *try) judge(resp *http.Response, body *limitedBody) *failure {
	unchanged := resp.StatusCode == http.StatusNotModified && t.etag != ""
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated && !unchanged {
		return judgeStatus(t.call, resp)
	}
	if contentType := resp.Header.Get("Content-Type"); !unchanged && !isJSON(contentType) {
		return &failure{err: source.Errorf(source.CodeNotTheAPI, "%s: the answer has content type %q, not JSON", t.doing, oneLine(contentType, maxName))}
	}
	err := t.read(resp, body)
	var coded *source.Error
	switch {
	case body.long:
		return &failure{err: source.Errorf(source.CodeNotTheAPI, "%s: the answer is longer than %d bytes", t.doing, t.client.policy.MaxBody)}
	case body.err != nil && !errors.Is(body.err, io.ErrUnexpectedEOF):
		return judgeNetwork(t.ctx, t.client, t.doing, time.Since(t.started), body.err)
	case body.err != nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &failure{kind: lost, err: source.Errorf(source.CodeNotTheAPI, "%s: the answer was cut off after %d bytes", t.doing, body.read)}
	case errors.As(err, &coded):
		return &failure{err: &source.Error{Code: coded.Code, Text: t.doing + ": " + coded.Text, Err: coded.Err}}
	case err != nil:
		// The decoder's own error may quote what it read.
		return &failure{err: source.Errorf(source.CodeNotTheAPI, "%s: the answer's JSON is not the API's", t.doing)}
	}
	return nil
}

// decide settles whether the call is made again, and says so.
func (t *try) decide() {
	t.again = false
	p := t.client.policy
	if t.failure == nil || t.failure.kind == final || !p.Retry || t.spent[t.failure.kind] || t.ctx.Err() != nil {
		return
	}
	if t.write && t.sent.Load() && !t.failure.refused {
		return
	}
	wait := map[kind]time.Duration{rateLimited: p.RateLimitWait, serverError: p.ServerErrorWait, lost: p.ConnectionWait}[t.failure.kind]
	wait = max(wait, t.failure.wait)
	if wait > p.MaxWait && p.MaxWait > 0 {
		return
	}
	if deadline, ok := t.ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return
	}
	t.spent[t.failure.kind], t.wait, t.again = true, wait, true
	what := map[kind]string{rateLimited: "server asks to wait", serverError: "server error", lost: "server unreachable"}[t.failure.kind]
	t.client.log.LogAttrs(t.ctx, slog.LevelInfo, what+", next try in "+wait.String(), slog.String("code", t.failure.err.ErrorCode()))
}

// A limitedBody ends with an error when it is longer than it may be, and remembers
// why reading ended.
type limitedBody struct {
	reader io.Reader
	limit  int64 // bytes; 0: none
	read   int64
	long   bool  // there was more than the limit
	err    error // of reading; nil after io.EOF
}

var errTooLong = errors.New("the answer is too long")

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.long {
		return 0, errTooLong
	}
	n, err := b.reader.Read(p)
	b.read += int64(n)
	if b.limit > 0 && b.read > b.limit {
		b.long = true
		return 0, errTooLong
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
