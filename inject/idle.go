package inject

import (
	"runtime/debug"
	"runtime/metrics"
)

// worthFreeing is how much memory has to be free, or garbage, to be given back, in
// bytes. To look for less would cost more than it brings.
const worthFreeing = 512 << 10

// Idle gives memory back to the system that this process does not need while it
// waits. Call it ahead of a wait of a second or longer, not ahead of work: what is
// needed again is fetched again, within about a millisecond. It is safe for
// concurrent use.
func Idle() {
	heap := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"}, // what the last collection left; 0 before the first
	}
	metrics.Read(heap)
	free, objects, live := heap[0].Value.Uint64(), heap[1].Value.Uint64(), heap[2].Value.Uint64()
	// In proportion to what is in use, so that a large set is not looked through the
	// more often.
	much := free+objects-min(live, objects) >= max(worthFreeing, live/4)
	if much {
		debug.FreeOSMemory()
	}
	forgetProgram(much)
}
