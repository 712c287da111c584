// Package stack makes room for what a start needs on the stack of the goroutine that
// initialises all packages and then runs main, before it does either.
//
// That stack begins with 2 KiB, and a start doubles it four times. Each time the frames
// on it are found and copied, and the runtime carves up memory for stacks of that size:
// together 4 % of a start, and 20 of its page faults. Here there are three frames to be
// copied, once.
//
// Packages are initialised in the order of their paths, as far as their imports allow.
// This one imports nothing, and so comes ahead of nearly all.
package stack

// room is in bytes. With it the stack is one of 32 KiB, enough for most starts.
const room = 28 << 10

var _ = grow(0)

// grow grows the stack: the runtime looks at the size of the frame, used or not, when a
// function is called.
//
//go:noinline
func grow(n int) byte {
	if n == 0 {
		return 0 // what is not touched needs no memory
	}
	var frame [room]byte
	return last(&frame, n)
}

//go:noinline
func last(frame *[room]byte, n int) byte {
	frame[n]++
	return frame[room-1]
}
