// Package state keeps what infisync processes tell each other and other
// programs: hashes, digests, counts and pids, never a value.
//
// All of it is in the state directory, which [Prepare] makes and checks:
//
//	<state-dir>/<scope's folder>/infisical_sync_state.json   a [File], see [Read] and [Update]
//	<state-dir>/run/<pid>-<start>-<hash>.json                an [Entry] per process and scope, see [Register] and [List]
//	<state-dir>/run/<hash>.login                             refused logins, see [BeginLogin]
//
// The sync state file is read by other programs too. Its keys are
//
//	{
//	  "last_sync": "2026-01-02T03:04:05Z",
//	  "project_ids": ["…"],
//	  "environment": "dev",
//	  "secrets": {"NAME": {"hash": "…", "version": 3, "last_synced": "2026-01-02T03:04:05Z"}},
//	  "error_count": 0,
//	  "push_count": 0,
//	  "pull_count": 1
//	}
//
// and any others that somebody put there, which stay. Times that are not known
// are null. The hash of a secret is [Hash], or, when there is a "hash_method" of
// "hmac-sha256", that of a [Hasher] with a key; [Digest] is the one number that
// tells whether two sets are equal, and [File.Digest] the same of a file.
//
// [Sweep] removes what nobody has used for 30 days. Package disk below writes
// files whole and locks them.
package state
