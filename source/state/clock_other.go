//go:build !linux

package state

// Moment is a point in time that processes of one machine can compare whatever
// happens to its clock. This system tells no such time.
func Moment() (boot string, ns int64, ok bool) { return "", 0, false }
