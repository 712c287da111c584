package infisical

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Status is what a server tells without a login.
type Status struct {
	Message    string        // "Ok"
	Time       time.Time     // the server's clock, UTC; zero: it did not say
	Skew       time.Duration // Time less ours, in whole seconds; positive: the server is ahead
	Took       time.Duration // from asking to the answer, repetitions included
	CertExpiry time.Time     // of the server's certificate, UTC; zero without TLS
}

// Status asks whether the server is up. No credential is sent: the server checks
// any that is there, also where none is needed.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	started := time.Now()
	err := c.do(ctx, &call{
		doing:  fmt.Sprintf("asking %q for its status", c.base),
		method: http.MethodGet,
		path:   "/status",
		read: func(resp *http.Response, body io.Reader) error {
			var answer struct {
				Date    stamp  `json:"date"`
				Message string `json:"message"`
			}
			if err := decodeJSON(body, &answer); err != nil {
				return err
			}
			if answer.Message == "" && time.Time(answer.Date).IsZero() {
				return errShape
			}
			status = Status{Message: oneLine(answer.Message, maxMessage), Took: time.Since(started), Time: time.Time(answer.Date)}
			if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
				status.Time = date.UTC()
			}
			if !status.Time.IsZero() {
				status.Skew = time.Until(status.Time).Round(time.Second)
			}
			if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
				status.CertExpiry = resp.TLS.PeerCertificates[0].NotAfter.UTC()
			}
			return nil
		},
	})
	if err != nil {
		return Status{}, err
	}
	return status, nil
}
