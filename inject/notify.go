package inject

import (
	"net"
	"strings"
)

// tellManager sends a message to the service manager that started this process,
// as sd_notify(3) does. Nobody has to be there to get it.
func (r *supervision) tellManager(lines ...string) {
	if r.NotifySocket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: r.NotifySocket, Net: "unixgram"})
	if err != nil {
		r.Log.Debug("telling the service manager: " + reason(err).Error())
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(strings.Join(lines, "\n")))
}

// tell tells the service manager what an event means for the service.
func (r *supervision) tell(e Event) {
	switch e.Kind {
	case EventHealthy:
		r.tellManager("READY=1", "STATUS=running")
	case EventRestarting:
		r.tellManager(append(reloading(), "STATUS=restarting: "+e.Changes.String())...)
	case EventRolledBack:
		r.tellManager("STATUS=going back to the previous secrets")
	case EventUnhealthy:
		r.tellManager("STATUS=the child is not healthy")
	case EventWaiting:
		r.tellManager("STATUS=starting again after " + e.Status.String())
	case EventStopping:
		r.tellManager("STOPPING=1", "STATUS=stopping")
	}
}
