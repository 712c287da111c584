package infisical

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"infisync/source"
)

// ErrNoAccessToken is wrapped by the error of a login that the server answered
// with success, but without a token.
var ErrNoAccessToken = errors.New("the answer holds no accessToken")

// ErrExists is wrapped by the error of a write that would create a secret whose
// name is taken. Nothing was written.
var ErrExists = errors.New("the secret exists already")

// A StatusError is what a server answered instead of what was asked for. It never
// holds a value: whatever was sent is cut out of it.
type StatusError struct {
	Status     int           // HTTP status
	Name       string        // the error's name, such as "PermissionDenied"; empty when the answer is not the API's
	Message    string        // at most 200 characters in one line; empty likewise
	RequestID  string        // of the server's log; old servers give none
	RetryAfter time.Duration // how long the server asks to wait; 0: it does not say
	Login      string        // the method of the login that was answered so; empty: it was none

	noRoute bool // the server does not know the route at all
}

// Error returns the status, the name, the message and the request ID.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("server answered %d", e.Status)
	if e.Name != "" {
		s += " " + e.Name
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// An UnknownOutcome is the error of a write that was sent, and for which no
// answer came that says whether it took effect. It must be looked up before it is
// sent again. It wraps the reason, whose code it has.
type UnknownOutcome struct {
	Err error
}

// Error returns the reason and that the outcome is not known.
func (e *UnknownOutcome) Error() string { return e.Err.Error() + "; it may have taken effect" }

// Unwrap returns the reason.
func (e *UnknownOutcome) Unwrap() error { return e.Err }

// Is lets errors.Is find [ErrExists]: old and new servers say it in different ways.
func (e *StatusError) Is(target error) bool {
	return target == ErrExists && (e.Status == http.StatusConflict ||
		e.Status == http.StatusBadRequest && hasPrefixFold(e.Message, "secret already exist"))
}

// isNoRoute tells whether err says that the server has no such route.
func isNoRoute(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.noRoute
}

const (
	maxMessage   = 200 // characters of a server's message that are passed on
	maxName      = 80
	maxErrorBody = 64 << 10 // 64 KiB; an error's body that is longer is not the API's
	redacted     = "[redacted]"
)

// An envelope is the body of every answer that is an error.
type envelope struct {
	Status    *float64        `json:"statusCode"`
	Message   json.RawMessage `json:"message"`
	Name      string          `json:"error"`
	RequestID string          `json:"reqId"`
}

// readEnvelope returns nil for a body that is not the API's: every release sends
// a message and with it a statusCode and a name, while a gateway's JSON has the
// message alone.
func readEnvelope(body []byte, sent []source.Value) *StatusError {
	var e envelope
	if json.Unmarshal(body, &e) != nil || (e.Status == nil && e.Name == "") {
		return nil
	}
	message, ok := readMessage(e.Message)
	if !ok {
		return nil
	}
	return &StatusError{
		Name:      oneLine(redact(e.Name, sent), maxName),
		Message:   oneLine(redact(message, sent), maxMessage),
		RequestID: oneLine(redact(e.RequestID, sent), maxName),
		noRoute:   e.Name == "Not Found" && e.RequestID == "" && hasPrefixFold(message, "route "),
	}
}

// readMessage reads a string or, for a validation error, a list of issues.
func readMessage(raw json.RawMessage) (message string, ok bool) {
	if json.Unmarshal(raw, &message) == nil && string(raw) != "null" {
		return message, true
	}
	var issues []struct {
		Path    []any  `json:"path"`
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &issues) != nil || len(issues) == 0 {
		return "", false
	}
	parts := make([]string, len(issues))
	for i, issue := range issues {
		path := make([]string, len(issue.Path))
		for j, step := range issue.Path {
			path[j] = fmt.Sprint(step)
		}
		parts[i] = strings.TrimSpace(strings.Join(path, ".") + " " + issue.Message)
	}
	return strings.Join(parts, "; "), true
}

// redact replaces in s whatever was sent, also without the white space around it.
// Of something shorter than four bytes only whole words are replaced, or nothing of
// s might be left to read.
func redact(s string, sent []source.Value) string {
	for _, value := range sent {
		whole := value.Reveal()
		for _, text := range []string{whole, strings.TrimSpace(whole)} {
			if len(text) >= 4 {
				s = strings.ReplaceAll(s, text, redacted)
			} else if text != "" {
				s = replaceWords(s, text)
			}
		}
	}
	return s
}

// replaceWords replaces word where neither letter nor digit is next to it.
func replaceWords(s, word string) string {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	var out strings.Builder
	last := ' '
	for {
		i := strings.Index(s, word)
		if i < 0 {
			out.WriteString(s)
			return out.String()
		}
		if before, size := utf8.DecodeLastRuneInString(s[:i]); size > 0 {
			last = before
		}
		after := s[i+len(word):]
		next, _ := utf8.DecodeRuneInString(after)
		out.WriteString(s[:i])
		if inWord(last) || inWord(next) {
			out.WriteString(word)
		} else {
			out.WriteString(redacted)
		}
		last, _ = utf8.DecodeLastRuneInString(word)
		s = after
	}
}

// oneLine makes s printable: no control characters, no more than limit characters.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(source.Line(s)), " ")
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return s
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
