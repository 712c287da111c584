//go:build !linux

package state

// SinceBoot is a point in time that processes of one machine can compare whatever
// happens to its clock. This system tells no such time: it is 0.
func SinceBoot() int64 { return 0 }

// Boot names this boot of the machine. This system does not: it is empty.
func Boot() string { return "" }
