package inject

// A state is where a supervision stands. One goroutine owns it. The transitions:
//
//	starting ──► running       the first child, one after a crash, or one with known good secrets
//	         ──► trial         a child with changed secrets, while the previous good ones are known
//	         ──► rollback      a child with the previous secrets again
//	running  ──► replacing     changed secrets: the stop signal was sent
//	         ──► overlapping   changed secrets: a second child was started beside the first
//	         ──► sweeping      it ended by itself
//	trial    ──► running       it is healthy and has outlived its probation
//	         ──► replacing     it is not healthy in time, or the secrets changed again
//	         ──► sweeping      it ended by itself
//	rollback ──► as trial; when it fails too, the secrets were not the cause
//	overlapping ──► trial      the second child is ready and takes over, while the first drains beside
//	                           it; or the first ended by itself. running, when nothing good is known
//	            ──► running    the second one failed: it is ended and the first stays
//	replacing ──► sweeping     it has ended
//	sweeping ──► starting      its process group is gone: another one follows
//	         ──► waiting       another one follows after the backoff
//	         ──► done
//	waiting  ──► starting      the backoff is over
//	any      ──► stopping      a stop was asked from outside; nothing is started after it
//	stopping ──► sweeping      the child has ended
type state int

const (
	starting state = iota
	running
	trial
	rollback
	overlapping
	replacing
	stopping
	sweeping
	waiting
	done
)

// String returns the state's name.
func (s state) String() string {
	return [...]string{
		"starting", "running", "trial", "rollback", "overlapping",
		"replacing", "stopping", "sweeping", "waiting", "done",
	}[s]
}

// settled tells the states in which one child runs and may be replaced.
func (s state) settled() bool { return s == running || s == trial || s == rollback }
