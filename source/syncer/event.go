package syncer

import (
	"encoding/json"
	"time"

	"infisync/source"
)

// The events: the first two are those that a Syncer tells of.
const (
	EventComplete = "sync_complete" // a pull changed something, was the first, or ended an outage
	EventError    = "sync_error"    // pulls fail, for another reason than the last one did

	EventRestarted  = "restarted"   // the child is replaced by one with changed secrets
	EventRolledBack = "rolled_back" // changed secrets failed, the previous ones come back
)

// An Event is something that a person may want to hear of. It holds names only.
type Event struct {
	Event   string        `json:"event"`
	Time    time.Time     `json:"time"` // UTC
	Scope   string        `json:"scope,omitempty"`
	Code    source.Code   `json:"code,omitempty"`    // of the failure
	Message string        `json:"message,omitempty"` // of the failure
	Changes *EventChanges `json:"changes,omitempty"`
}

// EventChanges are the names by which the set differs from the one before.
type EventChanges struct {
	New     Names `json:"new"`
	Changed Names `json:"changed"`
	Gone    Names `json:"gone"`
}

// Names are a list in JSON even if there are none.
type Names []string

// MarshalJSON writes no null.
func (n Names) MarshalJSON() ([]byte, error) { return json.Marshal(append([]string{}, n...)) }

func (s *Syncer) tell(event Event) {
	if s.opt.OnEvent == nil {
		return
	}
	event.Time = time.Now().UTC()
	event.Scope = s.name()
	s.opt.OnEvent(event)
}

// tellComplete tells of a pull that was accepted. Before is the set it replaced.
func (s *Syncer) tellComplete(before source.Set) {
	if s.opt.OnEvent == nil {
		return
	}
	changes := new(EventChanges)
	for secret := range s.current.Secrets.All() {
		old, had := before.Get(secret.Name)
		switch {
		case !had:
			changes.New = append(changes.New, secret.Name)
		case !old.Value.Equal(secret.Value):
			changes.Changed = append(changes.Changed, secret.Name)
		}
	}
	changes.Gone = before.Lost(s.current.Secrets)
	s.tell(Event{Event: EventComplete, Changes: changes})
}
