// Package source says what a secret is, where secrets come from, and which
// source may answer.
//
// A [Value] is one secret's plaintext and prints as "[redacted]". Secrets are
// kept in [Place]s on a server; what one place lists ([Listing]) is merged by
// [Merge] into a [Set], in which each name is unique and knows where it came
// from. What can go wrong is an [*Error] with a stable [Code]; the code tells
// the [Cause], and [Choose] tells from the cause which source answers instead,
// if any may.
//
// The packages below do the work: config reads settings, infisical speaks with
// the server, dotenv reads .env files, vault keeps the last set encrypted,
// state keeps hashes and digests, syncer runs the cycles.
package source

import "context"

// A Source loads one complete Set. Load returns a whole Set or an error, never
// part of one. It is safe for concurrent use.
type Source interface {
	Load(ctx context.Context) (Set, error)
}
