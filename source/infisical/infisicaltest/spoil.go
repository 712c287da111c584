package infisicaltest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// instead sends what comes instead of the real answer.
func (f *fault) instead(c *call, w http.ResponseWriter) {
	switch f.Do {
	case FaultStatus:
		c.send(f.failure().answer(c.requestID()), w)
	case FaultHTML:
		c.send(htmlAnswer(http.StatusOK, webPage), w)
	case FaultHTML502:
		c.send(htmlAnswer(http.StatusBadGateway, "<html><head><title>502 Bad Gateway</title></head><body></body></html>\n"), w)
	case FaultForeignJSON:
		c.send(jsonAnswer(http.StatusOK, object{"hello": 1}), w)
	case FaultRedirect:
		c.send(f.redirect(c.req), w)
	case FaultHugeBody:
		c.sendHuge(w)
	case FaultReset:
		c.reset(w)
	}
}

// failure is the API's error for the fault's status.
func (f *fault) failure() *apiError {
	e := internal()
	switch {
	case f.Status == 0 || f.Status == http.StatusInternalServerError:
	case f.Status == http.StatusTooManyRequests:
		e.name, e.message = "RateLimitError", "Rate limit exceeded. Please try again in 60 seconds"
	case f.Status == http.StatusUnauthorized:
		e.name, e.message = "UnauthorizedError", "You are not authorized"
	case f.Status == http.StatusForbidden:
		e.name, e.message = "PermissionDenied", "You are not allowed to access this resource"
	default:
		e.name = strings.ReplaceAll(http.StatusText(f.Status), " ", "")
		e.message = http.StatusText(f.Status)
	}
	if f.Status != 0 {
		e.status = f.Status
	}
	if f.Name != "" {
		e.name = f.Name
	}
	if f.Message != "" {
		e.message = f.Message
	}
	e.retryAfter = f.RetryAfter
	return e
}

func (f *fault) redirect(r *http.Request) *answer {
	status := f.Status
	if status == 0 {
		status = http.StatusTemporaryRedirect
	}
	location := f.Location
	if _, rest, found := strings.Cut(location, "://"); found && !strings.Contains(rest, "/") {
		location += r.RequestURI
	}
	out := &answer{status: status, header: make(http.Header)}
	out.header.Set("Location", location)
	return out
}

// spoil sends a changed form of the real answer.
func (f *fault) spoil(c *call, out *answer, w http.ResponseWriter) {
	switch f.Do {
	case FaultFailAfter:
		c.send(f.failure().answer(c.requestID()), w)
	case FaultResetAfter:
		c.reset(w)
	case FaultCutBody:
		c.answered(out.status)
		out.sendHalf(w)
		panic(http.ErrAbortHandler)
	case FaultStallBody:
		rest := out.sendHalf(w)
		f.hold(c)
		c.answered(out.status)
		w.Write(rest)
	case FaultSlowBody:
		f.sendSlowly(c, out, w)
	case FaultEmptyList, FaultLoseNames, FaultMaskValues:
		c.send(f.alter(out), w)
	default:
		c.send(out, w)
	}
}

// hold blocks until the fault is lifted. When the client or the server ends
// first, the connection is cut.
func (f *fault) hold(c *call) {
	select {
	case <-f.lifted:
	case <-f.closed:
		panic(http.ErrAbortHandler)
	case <-c.req.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// alter takes secrets or values out of a successful answer.
func (f *fault) alter(out *answer) *answer {
	var body object
	if out.status != http.StatusOK || json.Unmarshal(out.body, &body) != nil {
		return out
	}
	for key, value := range body {
		switch v := value.(type) {
		case []any:
			body[key] = f.alterList(v)
		case object:
			f.alterSecret(v)
		}
	}
	altered := jsonAnswer(out.status, body)
	out.body = altered.body
	out.header.Set("Etag", altered.header.Get("Etag"))
	return out
}

func (f *fault) alterList(list []any) []any {
	if f.Do == FaultEmptyList {
		return []any{}
	}
	kept := []any{}
	for i, entry := range list {
		sec, ok := entry.(object)
		if nested, is := sec["secrets"].([]any); is {
			sec["secrets"] = f.alterList(nested)
		} else if ok && f.Do == FaultLoseNames && f.loses(sec, i) {
			continue
		}
		f.alterSecret(sec)
		kept = append(kept, entry)
	}
	return kept
}

func (f *fault) loses(sec object, i int) bool {
	name, ok := sec["secretKey"].(string)
	if len(f.Names) == 0 {
		return ok && i%2 == 0
	}
	return ok && slices.Contains(f.Names, name)
}

func (f *fault) alterSecret(sec object) {
	name, ok := sec["secretKey"].(string)
	if !ok || f.Do != FaultMaskValues || len(f.Names) > 0 && !slices.Contains(f.Names, name) {
		return
	}
	sec["secretValue"] = masked
	if _, told := sec["secretValueHidden"]; told {
		sec["secretValueHidden"] = true
	}
}
