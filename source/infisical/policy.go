package infisical

import "time"

// A Policy is every wait and limit of a [Client]. The zero Policy given to [New]
// or [Client.With] stands for [DefaultPolicy]; any other is taken as it is, and a
// zero limit in it is no limit.
type Policy struct {
	Dial   time.Duration // to connect, and again for the TLS handshake; fixed by New
	Answer time.Duration // for one request: from connecting to the last byte of the body
	Hasty  time.Duration // what Answer is in a policy made by InHaste

	// Retry allows one more try for each kind of failure: rate limit, server error,
	// lost connection. A try that could only begin after the context's deadline, or
	// later than MaxWait, is not waited for.
	Retry           bool
	RateLimitWait   time.Duration // at least; longer when the server says so
	ServerErrorWait time.Duration
	ConnectionWait  time.Duration
	MaxWait         time.Duration // the longest wait that a server may ask for

	MaxBody int64 // bytes of an answer, after decompression
}

// DefaultPolicy returns the waits and limits of a program that is in no hurry.
func DefaultPolicy() Policy {
	return Policy{
		Dial:            5 * time.Second,
		Answer:          15 * time.Second,
		Hasty:           5 * time.Second,
		Retry:           true,
		RateLimitWait:   60 * time.Second, // the server counts in windows of a minute
		ServerErrorWait: 30 * time.Second,
		ConnectionWait:  10 * time.Second,
		MaxWait:         5 * time.Minute,
		MaxBody:         64 << 20, // 64 MiB
	}
}

// InHaste returns p for a start that has something to fall back to: it answers
// within Hasty and is never tried again.
func (p Policy) InHaste() Policy {
	p.Answer = p.Hasty
	p.Retry = false
	return p
}
