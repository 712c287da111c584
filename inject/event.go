package inject

// An EventKind is what happened.
type EventKind string

const (
	EventStarted     EventKind = "started"     // a child runs: PID, Digest
	EventHealthy     EventKind = "healthy"     // its health check, if any, said yes: PID, Digest
	EventAccepted    EventKind = "accepted"    // it is healthy and has outlived its probation: PID, Digest
	EventUnhealthy   EventKind = "unhealthy"   // it was not healthy in time: PID, Digest
	EventRestarting  EventKind = "restarting"  // it is to be replaced: PID, Digest of the new, Changes
	EventStale       EventKind = "stale"       // changed, and the child keeps what it has: PID, Digest of the new, Changes
	EventGiven       EventKind = "given"       // changed, and all of it is in the child's files: PID, Digest of the new, Changes
	EventUndone      EventKind = "undone"      // changed back before anything was done: PID, Digest
	EventQuarantined EventKind = "quarantined" // a child with it failed: Digest of what is not tried again
	EventReleased    EventKind = "released"    // the quarantine is over, for one of its reasons: Digest of what was in it
	EventRolledBack  EventKind = "rolled-back" // the previous environment comes back: Digest
	EventWaiting     EventKind = "waiting"     // another child follows after a backoff
	EventStopping    EventKind = "stopping"    // a stop was asked from outside, or ChangeExit: PID
	EventEnded       EventKind = "ended"       // a child ended: PID, Digest, Status
)

// An Event is one transition. Fields that its kind does not list are zero.
type Event struct {
	Kind    EventKind
	PID     int
	Digest  string // of the environment, as Env.Digest
	Changes Changes
	Status  Status
}
