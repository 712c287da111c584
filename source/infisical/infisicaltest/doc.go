// Package infisicaltest is an emulator of the Infisical HTTP API: a real server
// on a real socket, for tests and for trying infisync out without an account.
//
// [Start] serves what a [Seed] holds, as one of four [Profile]s: the server of
// today, the server as its documentation has it, one of 2024 and one of 2025.
// The Go methods of a [Server] read and change what it holds, make it fail on
// command ([Server.Fault]), count what it was asked ([Server.Counts]) and wait
// for a request instead of sleeping ([Server.Wait]). With Options.Control the
// same is offered over HTTP under /__emulator/, to other processes.
//
// Its clock can be moved ([Server.Advance]), so that tokens expire and locks end
// without waiting. Nothing is written to disk. Values are kept as plain strings:
// it is no place for a real secret.
package infisicaltest
