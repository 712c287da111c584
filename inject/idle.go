package inject

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// worthFreeing is how much memory has to be free, or garbage, to be given back, in
// bytes. To look for less would cost more than it brings.
const worthFreeing = 512 << 10

// Idle gives memory back to the system that this process does not need while it
// waits. Call it ahead of a wait of a second or longer, not ahead of work: what is
// needed again is fetched again, within about a millisecond. It is safe for
// concurrent use.
func Idle() {
	var heap runtime.MemStats // runtime/metrics would cost every start the making of its tables
	runtime.ReadMemStats(&heap)
	free, objects, live := heap.HeapIdle-heap.HeapReleased, heap.HeapAlloc, inUse.Load()
	// In proportion to what is in use, so that a large set is not looked through the
	// more often.
	much := free+objects-min(live, objects) >= max(worthFreeing, live/4)
	if much {
		debug.FreeOSMemory()
		runtime.ReadMemStats(&heap)
		inUse.Store(heap.HeapAlloc)
	}
	forgetProgram(much)
}

// inUse is what Idle left when it last collected what is garbage, in bytes; 0 before.
var inUse atomic.Uint64
