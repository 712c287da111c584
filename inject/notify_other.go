//go:build !linux

package inject

// reloading says that the service is about to change.
func reloading() []string { return []string{"RELOADING=1"} }

// A notifySocket is where one child says that it is ready: not on this system,
// where the sender cannot be checked.
type notifySocket struct{}

func newNotifySocket() (*notifySocket, error) {
	return nil, errorf(CodeListen, "readiness notifications work on Linux only: here a child counts as ready after a time")
}

func (n *notifySocket) address() string { return "" }
func (n *notifySocket) await(int) bool  { return false }
func (n *notifySocket) close()          {}
