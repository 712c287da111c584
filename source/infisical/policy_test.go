package infisical_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// The real waits and limits, which no other test uses.
func TestDefaultPolicy(t *testing.T) {
	want := infisical.Policy{
		Dial: 5 * time.Second, Answer: 15 * time.Second, Hasty: 5 * time.Second,
		Retry: true, RateLimitWait: 60 * time.Second, ServerErrorWait: 30 * time.Second, ConnectionWait: 10 * time.Second,
		MaxWait: 5 * time.Minute, MaxBody: 64 << 20,
	}
	if got := infisical.DefaultPolicy(); got != want {
		t.Errorf("DefaultPolicy() = %+v, want %+v", got, want)
	}
	c := newClient(t, "http://localhost", func(c *infisical.Config) { c.Policy = infisical.Policy{} })
	if c.Policy() != want || c.With(infisical.Policy{}).Policy() != want {
		t.Error("the zero policy is not the default one")
	}
	hasty := want
	hasty.Answer, hasty.Retry = 5*time.Second, false
	if got := c.With(want.InHaste()).Policy(); got != hasty {
		t.Errorf("InHaste() = %+v, want %+v", got, hasty)
	}
}

// A logBuffer collects what is logged, without the times.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBuffer) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

// reset ends the connection within the first line of an answer. Before it, net/http
// would take the connection for one that was idle too long and use another.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Write([]byte("HTTP/1.1 2"))
	conn.Close()
}

// cut sends less than it promised.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	writeJSON(w, 200, `{"secrets":[{"secretKey":"A","secretValue":"1"}`)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func limited(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if seconds != "" {
			w.Header().Set("Retry-After", seconds)
		}
		refuse(500, "InternalServerError", "Something went wrong")(w, r)
	}
}

func html(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<html>canary</html>")
	}
}

// What is tried again: once for each kind of failure, after that kind's wait.
func TestRetries(t *testing.T) {
	tests := []struct {
		name    string
		answers []http.HandlerFunc // the last one for ever
		tries   int
		waits   []string
		want    source.Code
	}{
		{"500 once", []http.HandlerFunc{refuse(500, "InternalServerError", "x"), answer(200, `{"secrets":[]}`)}, 2, []string{"2ms"}, ""},
		{"500", []http.HandlerFunc{refuse(500, "InternalServerError", "x")}, 2, []string{"2ms"}, source.CodeServerError},
		{"503 page", []http.HandlerFunc{html(503)}, 2, []string{"2ms"}, source.CodeServerError},
		{"502 page", []http.HandlerFunc{html(502)}, 2, []string{"2ms"}, source.CodeServerError},
		{"429", []http.HandlerFunc{refuse(429, "RateLimitError", "x")}, 2, []string{"3ms"}, source.CodeRateLimited},
		{"429 page", []http.HandlerFunc{html(429)}, 2, []string{"3ms"}, source.CodeRateLimited},
		{"limit as 500", []http.HandlerFunc{limited("soon")}, 2, []string{"1s"}, source.CodeRateLimited},
		{"limit beyond MaxWait", []http.HandlerFunc{limited("2")}, 1, nil, source.CodeRateLimited},
		{"limit in the message", []http.HandlerFunc{refuse(429, "RateLimitError", "Rate limit exceeded. Please try again in 3600 seconds")}, 1, nil, source.CodeRateLimited},
		{"reset", []http.HandlerFunc{reset}, 2, []string{"1ms"}, source.CodeUnreachable},
		{"cut", []http.HandlerFunc{cut}, 2, []string{"1ms"}, source.CodeNotTheAPI},
		{"cut once", []http.HandlerFunc{cut, answer(200, `{"secrets":[]}`)}, 2, []string{"1ms"}, ""},
		{"each kind once", []http.HandlerFunc{refuse(429, "RateLimitError", "x"), html(504), reset, refuse(500, "Y", "x")}, 4, []string{"3ms", "2ms", "1ms"}, source.CodeServerError},
		{"page", []http.HandlerFunc{html(200)}, 1, nil, source.CodeNotTheAPI},
		{"403 page", []http.HandlerFunc{html(403)}, 1, nil, source.CodeNotTheAPI},
		{"foreign JSON", []http.HandlerFunc{answer(200, `{"hello":1}`)}, 1, nil, source.CodeNotTheAPI},
		{"403", []http.HandlerFunc{refuse(403, "PermissionDenied", "x")}, 1, nil, source.CodeAccessDenied},
		{"404", []http.HandlerFunc{refuse(404, "X", "Folder with path")}, 1, nil, source.CodePlaceNotFound},
		{"locked", []http.HandlerFunc{refuse(401, "UnauthorizedError", "This identity auth method is temporarily locked")}, 1, nil, source.CodeIdentityLocked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			var log logBuffer
			s := newServer(t, map[string]http.HandlerFunc{listRoute: func(w http.ResponseWriter, r *http.Request) {
				tries++
				tt.answers[min(tries, len(tt.answers))-1](w, r)
			}})
			client := newClient(t, s.URL, func(c *infisical.Config) { c.Log = log.logger(slog.LevelInfo) })
			_, err := login(t, client).List(t.Context(), infisical.Query{Place: place})
			wantCode(t, err, tt.want)
			if tries != tt.tries {
				t.Errorf("%d requests, want %d", tries, tt.tries)
			}
			var waits []string
			for line := range strings.Lines(log.String()) {
				_, after, _ := strings.Cut(line, "next try in ")
				wait, _, _ := strings.Cut(after, `"`)
				waits = append(waits, wait)
			}
			if fmt.Sprint(waits) != fmt.Sprint(tt.waits) {
				t.Errorf("waits %v, want %v; log:\n%s", waits, tt.waits, log.String())
			}
		})
	}
}

func TestHasteRetriesNothing(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{"500": html(500), "429": html(429), "reset": reset, "cut": cut} {
		s := newServer(t, map[string]http.HandlerFunc{listRoute: handler})
		client := newClient(t, s.URL)
		_, err := login(t, client.With(client.Policy().InHaste())).List(t.Context(), infisical.Query{Place: place})
		if n := s.count(listRoute); err == nil || n != 1 {
			t.Errorf("%s: %d requests, error %v", name, n, err)
		}
	}
}

// A wait that would pass the deadline is not begun: the real error comes at once.
func TestRetryKeepsTheDeadline(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{listRoute: html(503)})
	session := login(t, newClient(t, s.URL, func(c *infisical.Config) { c.Policy = infisical.DefaultPolicy() }))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // less than the 30 s of a server error
	defer cancel()
	_, err := session.List(ctx, infisical.Query{Place: place})
	wantCode(t, err, source.CodeServerError)
	if ctx.Err() != nil || s.count(listRoute) != 1 {
		t.Errorf("%d requests; context: %v", s.count(listRoute), ctx.Err())
	}
}

// Who stops asking is not kept waiting.
func TestRetryEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, map[string]http.HandlerFunc{listRoute: html(503)})
	waiting := make(chan struct{})
	session := login(t, newClient(t, s.URL, func(c *infisical.Config) {
		c.Policy = infisical.DefaultPolicy()
		c.Log = slog.New(slog.NewTextHandler(writerFunc(func() { close(waiting) }), nil))
	}))
	done := make(chan error)
	go func() {
		_, err := session.List(ctx, infisical.Query{Place: place})
		done <- err
	}()
	<-waiting
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is not the context's", err)
	}
	wantText(t, err, "503", "while waiting to try again")
}

type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) { f(); return len(p), nil }

// A server that accepts and says nothing, or says it too slowly.
func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, 200, `{"secrets":[`)
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	defer close(release)
	for name, handler := range map[string]http.HandlerFunc{"hang": hang, "slow body": slow} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{listRoute: handler})
			var log logBuffer
			session := login(t, newClient(t, s.URL, func(c *infisical.Config) { c.Log = log.logger(slog.LevelInfo) }))
			brief := quick()
			brief.Answer = 50 * time.Millisecond
			_, err := session.With(brief).List(t.Context(), infisical.Query{Place: place})
			wantCode(t, err, source.CodeTimeout)
			wantText(t, err, "no answer within 50ms")
			// Not what the server counts: a try may be over before it gets there.
			if n := strings.Count(log.String(), "next try in "); n != 1 {
				t.Errorf("%d repetitions, want one; log:\n%s", n, log.String())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = session.List(ctx, infisical.Query{Place: place})
			wantCode(t, err, source.CodeTimeout)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v does not wrap the context's", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	s := newServer(t, nil)
	s.Close()
	for name, url := range map[string]string{"refused": s.URL, "no such host": "https://infisical.invalid"} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			_, err := newClient(t, url, func(c *infisical.Config) { c.Log = log.logger(slog.LevelInfo) }).Login(t.Context())
			wantCode(t, err, source.CodeUnreachable)
			wantText(t, err, "logging in to ")
			if want := "server unreachable, next try in 1ms"; strings.Count(log.String(), want) != 1 {
				t.Errorf("log does not say once %q:\n%s", want, log.String())
			}
		})
	}
}

func TestDialTimeout(t *testing.T) {
	s := newServer(t, nil)
	_, err := newClient(t, s.URL, func(c *infisical.Config) { c.Policy.Dial = time.Nanosecond }).Login(t.Context())
	wantCode(t, err, source.CodeUnreachable)
	wantText(t, err, "no connection to 127.0.0.1:", "within 1ns")
}
