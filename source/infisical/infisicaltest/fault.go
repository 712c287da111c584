package infisicaltest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Action is what a fault does.
type Action string

// The actions. Those up to FaultHugeBody come instead of the real answer; the
// request has no effect. The others carry it out first and spoil the answer.
const (
	FaultStatus      Action = "status"       // Status, as the API's error
	FaultHTML        Action = "html"         // a web page with 200
	FaultHTML502     Action = "html-502"     // a proxy's page with 502
	FaultForeignJSON Action = "foreign-json" // {"hello":1} with 200
	FaultRedirect    Action = "redirect"     // to Location
	FaultReset       Action = "reset"        // the connection is reset
	FaultHugeBody    Action = "huge-body"    // a list of one value of 80 MiB

	FaultHang       Action = "hang"        // nothing until it is lifted, then the real answer
	FaultSlowBody   Action = "slow-body"   // the body comes byte by byte, one in each Pace
	FaultStallBody  Action = "stall-body"  // the second half of the body comes when it is lifted
	FaultCutBody    Action = "cut-body"    // the connection ends in the middle of the body
	FaultFailAfter  Action = "fail-after"  // Status, although the request took effect
	FaultResetAfter Action = "reset-after" // a reset, although the request took effect
	FaultEmptyList  Action = "empty-list"  // lists of anything come empty
	FaultLoseNames  Action = "lose-names"  // lists lack the secrets called Names
	FaultMaskValues Action = "mask-values" // the values of Names are masked
)

// A Fault makes requests fail.
type Fault struct {
	Do    Action `json:"do"`
	Kind  Kind   `json:"kind,omitempty"`  // which requests it meets; empty: any
	Skip  int    `json:"skip,omitempty"`  // so many of them it lets through first
	Times int    `json:"times,omitempty"` // and then so many it meets; 0: all until it is lifted

	Status     int           `json:"status,omitempty"`     // 0: 500, for redirects 307
	Name       string        `json:"name,omitempty"`       // the error's "error"; empty: what fits the status
	Message    string        `json:"message,omitempty"`    // the error's message; empty: likewise
	RetryAfter int           `json:"retryAfter,omitempty"` // seconds, sent as a header; 0: not sent
	Location   string        `json:"location,omitempty"`   // without a path: the request's is added
	Names      []string      `json:"names,omitempty"`      // of secrets; empty: every other one to lose, all to mask
	Pace       time.Duration `json:"pace,omitempty"`       // in JSON nanoseconds; 0: 100 ms
}

// A fault is a Fault at work.
type fault struct {
	Fault
	id     int
	met    int // requests that it was asked about
	lifted chan struct{}
	lift   sync.Once
	closed <-chan struct{} // the server's
}

// Fault makes the server fail as f says, until lift is called or f's Times are
// used up. Of several faults that fit a request the first given meets it. lift
// also ends what the fault holds up; it may be called again.
func (s *Server) Fault(f Fault) (lift func()) {
	made := s.addFault(f)
	return func() { s.liftFault(made) }
}

func (s *Server) addFault(f Fault) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultIDs++
	made := &fault{Fault: f, id: s.faultIDs, lifted: make(chan struct{}), closed: s.closed}
	s.faults = append(s.faults, made)
	return made
}

func (s *Server) liftFault(f *fault) {
	f.lift.Do(func() { close(f.lifted) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(other *fault) bool { return other == f })
}

// LiftFaults lifts all faults.
func (s *Server) LiftFaults() {
	s.mu.Lock()
	faults := slices.Clone(s.faults)
	s.mu.Unlock()
	for _, f := range faults {
		s.liftFault(f)
	}
}

// takeFault returns the fault that a request of that kind meets, nil for none.
// One that is used up stays in the list, for what it still holds up.
func (s *Server) takeFault(kind Kind) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !f.Kind.includes(kind) || f.Times > 0 && f.met >= f.Skip+f.Times {
			continue
		}
		if f.met++; f.met > f.Skip {
			return f
		}
	}
	return nil
}

// needsAnswer tells whether the request is carried out.
func (a Action) needsAnswer() bool {
	switch a {
	case FaultStatus, FaultHTML, FaultHTML502, FaultForeignJSON, FaultRedirect, FaultReset, FaultHugeBody:
		return false
	}
	return true
}

// altersList tells whether the action needs the body that a 304 would save.
func (a Action) altersList() bool {
	return a == FaultEmptyList || a == FaultLoseNames || a == FaultMaskValues
}

// instead sends what comes instead of the real answer and returns its status.
func (f *fault) instead(c *call, w http.ResponseWriter) int {
	var out *answer
	switch f.Do {
	case FaultStatus:
		out = f.failure().answer(c.requestID())
	case FaultHTML:
		out = htmlAnswer(http.StatusOK, webPage)
	case FaultHTML502:
		out = htmlAnswer(http.StatusBadGateway, "<html><head><title>502 Bad Gateway</title></head><body></body></html>\n")
	case FaultForeignJSON:
		out = jsonAnswer(http.StatusOK, object{"hello": 1})
	case FaultRedirect:
		out = f.redirect(c.req)
	case FaultHugeBody:
		sendHuge(w)
		return http.StatusOK
	default:
		reset(w)
		return 0
	}
	out.send(w)
	return out.status
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

// spoil sends a changed form of the real answer and returns its status.
func (f *fault) spoil(c *call, out *answer, w http.ResponseWriter) int {
	switch f.Do {
	case FaultFailAfter:
		out = f.failure().answer(c.requestID())
	case FaultResetAfter:
		reset(w)
		return 0
	case FaultCutBody:
		out.sendHalf(w)
		panic(http.ErrAbortHandler)
	case FaultStallBody:
		rest := out.sendHalf(w)
		f.hold(c)
		w.Write(rest)
		return out.status
	case FaultSlowBody:
		f.sendSlowly(c, out, w)
		return out.status
	case FaultEmptyList, FaultLoseNames, FaultMaskValues:
		out = f.alter(out)
	}
	out.send(w)
	return out.status
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

// known tells whether there is such an action.
func (a Action) known() bool {
	switch a {
	case FaultHang, FaultSlowBody, FaultStallBody, FaultCutBody, FaultFailAfter, FaultResetAfter,
		FaultEmptyList, FaultLoseNames, FaultMaskValues:
		return true
	}
	return !a.needsAnswer()
}
