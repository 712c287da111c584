package infisicaltest

import (
	"fmt"
	"slices"
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
	Pace       time.Duration `json:"-"`                    // 0: 100 ms
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

func (f Fault) check() error {
	switch f.Do {
	case FaultHang, FaultSlowBody, FaultStallBody, FaultCutBody, FaultFailAfter, FaultResetAfter,
		FaultEmptyList, FaultLoseNames, FaultMaskValues:
	default:
		if f.Do.needsAnswer() {
			return fmt.Errorf("no action %q", string(f.Do))
		}
	}
	if f.Kind != "" && f.Kind != KindWrite && f.Kind != KindAny && !f.Kind.counted() {
		return fmt.Errorf("no kind %q of requests to fail", string(f.Kind))
	}
	return nil
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
// also ends what the fault holds up; it may be called again. Fault panics when f's
// action or kind does not exist.
func (s *Server) Fault(f Fault) (lift func()) {
	if err := f.check(); err != nil {
		panic("infisicaltest: " + err.Error())
	}
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
