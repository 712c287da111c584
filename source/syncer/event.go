package syncer

import (
	"time"

	"infisync/source"
)

// The events that a Syncer tells of.
const (
	EventComplete = "sync_complete" // a pull changed something, was the first, or ended an outage
	EventError    = "sync_error"    // pulls fail, for another reason than the last one did
)

// An Event is something that a person may want to hear of. It holds names only.
type Event struct {
	Event   string         `json:"event"`
	Time    time.Time      `json:"time"` // UTC
	Scope   string         `json:"scope,omitempty"`
	Code    source.Code    `json:"code,omitempty"`    // of the failure
	Message string         `json:"message,omitempty"` // of the failure
	Changes *EventChanges  `json:"changes,omitempty"`
	Details map[string]any `json:"details,omitempty"` // what else the kind tells
}

// EventChanges are the names by which the set differs from the one before.
type EventChanges struct {
	New     []string `json:"new"`
	Changed []string `json:"changed"`
	Gone    []string `json:"gone"`
}

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
	changes := &EventChanges{New: []string{}, Changed: []string{}, Gone: []string{}}
	for secret := range s.current.Secrets.All() {
		old, had := before.Get(secret.Name)
		switch {
		case !had:
			changes.New = append(changes.New, secret.Name)
		case !old.Value.Equal(secret.Value):
			changes.Changed = append(changes.Changed, secret.Name)
		}
	}
	changes.Gone = append(changes.Gone, before.Lost(s.current.Secrets)...)
	s.tell(Event{Event: EventComplete, Changes: changes})
}
