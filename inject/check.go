package inject

import (
	"context"
	"net"
	"net/http"
)

// check asks once.
func (h Health) check(ctx context.Context, reaper *Reaper, env Env) bool {
	switch {
	case len(h.Command.Argv) > 0:
		status, err := reaper.run(ctx, h.Command, env, nil, discard)
		return err == nil && status.Code == 0
	case h.HTTP != "":
		return checkHTTP(ctx, h.HTTP)
	default:
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", h.TCP)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}
}

// checkHTTP asks the child directly, on a connection of its own: no proxy, and
// no redirect, which would lead to somebody else's health.
func checkHTTP(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	request.Header.Set("User-Agent", "infisync-health")
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode >= 200 && response.StatusCode < 400
}
