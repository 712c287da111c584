package infisical_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
)

// What every answer to a list means.
func TestAnswers(t *testing.T) {
	type say struct {
		status        int
		name, message string
	}
	tests := []struct {
		say  say
		want source.Code
	}{
		{say{400, "BadRequest", "Missing project id or environment"}, source.CodeRequestRefused},
		{say{400, "BadRequest", "Identity does not belong to this organization"}, source.CodeAccessDenied},
		{say{401, "UnauthorizedError", "Token missing"}, source.CodeTokenRefused},
		{say{401, "ValidationFailure", "x"}, source.CodeRequestRefused},
		{say{401, "UnauthorizedError", "This identity auth method is TEMPORARILY LOCKED"}, source.CodeIdentityLocked},
		{say{403, "TokenError", "Your token has expired"}, source.CodeTokenRefused},
		{say{403, "PermissionDenied", "You are not allowed to read on secrets"}, source.CodeAccessDenied},
		{say{403, "Forbidden access to /api/v4/secrets", "You are not allowed to access this resource"}, source.CodeAccessDenied},
		{say{403, "ForbiddenError", "Failed to expand one or more references"}, source.CodeAccessDenied},
		{say{404, "SecretPathNotFound", "Folder with path '/x' in environment 'dev' was not found"}, source.CodePlaceNotFound},
		{say{404, "SecretPathNotFound", "nothing here"}, source.CodePlaceNotFound},
		{say{404, "Find secret", "folder not found"}, source.CodePlaceNotFound},
		{say{404, "X", "Environment with slug 'dve' not found"}, source.CodePlaceNotFound},
		{say{404, "X", "Environment not found"}, source.CodePlaceNotFound},
		{say{404, "X", "Secret with name 'A' not found"}, source.CodeSecretNotFound},
		{say{404, "X", "Secret does not exist: A"}, source.CodeSecretNotFound},
		{say{404, "X", "One or more secrets does not exist"}, source.CodeSecretNotFound},
		{say{404, "NotFound", "Project with ID 'p1' not found"}, source.CodeProjectNotFound},
		{say{404, "bot_not_found_error", "x"}, source.CodeProjectNotFound},
		{say{404, "NotFound", "something else"}, source.CodePlaceNotFound},
		{say{409, "Conflict", "x"}, source.CodeRequestRefused},
		{say{410, "Gone", "x"}, source.CodeRequestRefused},
		{say{422, "ValidationFailure", "x"}, source.CodeRequestRefused},
		{say{429, "RateLimitError", "x"}, source.CodeRateLimited},
		{say{500, "InternalServerError", "Something went wrong"}, source.CodeServerError},
		{say{504, "GatewayTimeout", "x"}, source.CodeServerError},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %.40s", tt.say.status, tt.say.message), func(t *testing.T) {
			_, err := listOf(t, refuse(tt.say.status, tt.say.name, tt.say.message), infisical.Query{Place: place})
			wantCode(t, err, tt.want)
			wantText(t, err, `listing "p1:dev:/": server answered `, tt.say.name, tt.say.message, "(request req-1)")
			status, ok := errors.AsType[*infisical.StatusError](err)
			if !ok || status.Status != tt.say.status || status.Name != tt.say.name || status.Message != tt.say.message || status.RequestID != "req-1" {
				t.Errorf("StatusError %+v", status)
			}
		})
	}
}

// What looks like an answer and is not the API's, whatever its status: nothing of
// it is believed.
func TestForeignAnswers(t *testing.T) {
	typed := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			w.WriteHeader(status)
			w.Write([]byte(body))
		}
	}
	const good, denied = `{"secrets":[]}`, `{"statusCode":403,"error":"PermissionDenied","message":"x"}`
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    source.Code
	}{
		"page":                 {html(200), source.CodeNotTheAPI},
		"page of another page": {typed(200, "text/html", good), source.CodeNotTheAPI},
		"no content type":      {typed(200, "", good), source.CodeNotTheAPI},
		"bad content type":     {typed(200, ";;", good), source.CodeNotTheAPI},
		"other encoding":       {typed(200, "application/json; charset=latin1", good), source.CodeNotTheAPI},
		"named encoding":       {typed(200, "application/json; charset=UTF-8", good), ""},
		"kind of JSON":         {typed(200, "application/problem+json", good), ""},
		"no content":           {typed(204, "application/json", ""), source.CodeNotTheAPI},
		"unasked 206":          {typed(206, "application/json", good), source.CodeNotTheAPI},
		"401 page":             {html(401), source.CodeNotTheAPI},
		"403 page":             {html(403), source.CodeNotTheAPI},
		"404 page":             {html(404), source.CodeNotTheAPI},
		"403 as text":          {typed(403, "text/plain", denied), source.CodeNotTheAPI},
		"403 of a gateway":     {typed(403, "application/json", `{"message":"Forbidden"}`), source.CodeNotTheAPI},
		"403 of nobody":        {typed(403, "application/json", `{"statusCode":403}`), source.CodeNotTheAPI},
		"403 null message":     {typed(403, "application/json", `{"statusCode":403,"message":null}`), source.CodeNotTheAPI},
		"403 empty":            {typed(403, "application/json", ``), source.CodeNotTheAPI},
		"403 endless":          {typed(403, "application/json", denied+strings.Repeat(" ", 1<<17)), source.CodeNotTheAPI},
		"403 without type":     {typed(403, "", denied), source.CodeAccessDenied},
		"403 without name":     {typed(403, "application/json", `{"statusCode":403,"message":"x"}`), source.CodeAccessDenied},
		"500 page":             {html(500), source.CodeServerError},
		"520 page":             {html(520), source.CodeServerError},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := listOf(t, tt.handler, infisical.Query{Place: place})
			wantCode(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("error quotes the body: %v", err)
			}
		})
	}
}

func TestValidationIssues(t *testing.T) {
	_, err := listOf(t, answer(422, `{"reqId":"req-2","statusCode":422,"error":"ValidationFailure","message":[
		{"code":"invalid","path":["secrets",0,"secretKey"],"message":"Required"},{"path":[],"message":"Bad"}]}`), infisical.Query{Place: place})
	wantCode(t, err, source.CodeRequestRefused)
	wantText(t, err, "secrets.0.secretKey Required; Bad (request req-2)")
}

// A message is one short line, whatever the server puts into it.
func TestMessageIsOneLine(t *testing.T) {
	_, err := listOf(t, refuse(400, "Bad\nRequest", "a\x1b[31m\r\nb \u202e\u2028"+strings.Repeat("ä", 300)), infisical.Query{Place: place})
	status, _ := errors.AsType[*infisical.StatusError](err)
	if want := "a [31m b " + strings.Repeat("ä", 191) + "…"; status == nil || status.Message != want || status.Name != "Bad Request" {
		t.Errorf("got %q %q, want %q", status.Name, status.Message, want)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": time.Second, "-3": time.Second, "soon": time.Second, "99999999999": 1 << 30 * time.Second,
		"Mon, 02 Jan 2006 15:04:05 GMT": time.Second,
	} {
		handler := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", header)
			refuse(403, "X", "y")(w, r)
		}
		s := newServer(t, map[string]http.HandlerFunc{listRoute: handler})
		client := newClient(t, s.URL)
		_, err := login(t, client.With(quick().InHaste())).List(t.Context(), infisical.Query{Place: place})
		wantCode(t, err, source.CodeRateLimited)
		if status, ok := errors.AsType[*infisical.StatusError](err); !ok || status.RetryAfter != want {
			t.Errorf("Retry-After %q: %+v, want %v", header, status, want)
		}
	}
}

// Values and credentials that come back in a message are cut out of it.
func TestMessageHoldsNothingSent(t *testing.T) {
	for name, tt := range map[string]struct{ value, message, want string }{
		"long":         {"canary-value", "bad canary-value and canary-value.", "bad [redacted] and [redacted]."},
		"short word":   {"abc", "is 'abc' ok? abcd, xabc, abc", "is '[redacted]' ok? abcd, xabc, [redacted]"},
		"one letter":   {"e", "the e is e", "the [redacted] is [redacted]"},
		"its trimmed":  {"  canary-value\n", "got <canary-value>", "got <[redacted]>"},
		"with newline": {"canary\n\"value\"", "got canary\n\"value\"!", "got [redacted]!"},
		"empty":        {"", "fine", "fine"},
		"the token":    {"x", "token " + accessToken, "token [redacted]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, map[string]http.HandlerFunc{"POST /api/v4/secrets/A": refuse(400, "BadRequest", tt.message)})
			_, err := login(t, newClient(t, s.URL)).Create(t.Context(), place, infisical.Item{Name: "A", Value: source.NewValue(tt.value)})
			if status, ok := errors.AsType[*infisical.StatusError](err); !ok || status.Message != tt.want {
				t.Errorf("message %+v, want %q", status, tt.want)
			}
		})
	}
}
