package infisicaltest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What each action makes of a list, and that it does so as often as it was told.
func TestFaultsOnAList(t *testing.T) {
	const path = "/api/v4/secrets"
	var values = map[string]string{"A": "1", "B": "2"}
	for _, tt := range []struct {
		fault   Fault
		status  int
		text    string // a part of the body
		failure error  // of the request, or of reading its body
	}{
		{Fault{Do: FaultStatus, Status: 503, RetryAfter: 7}, 503, `"statusCode":503`, nil},
		{Fault{Do: FaultStatus}, 500, "Something went wrong", nil},
		{Fault{Do: FaultStatus, Status: 429}, 429, "Please try again in 60 seconds", nil},
		{Fault{Do: FaultStatus, Status: 401}, 401, `"error":"UnauthorizedError"`, nil},
		{Fault{Do: FaultStatus, Status: 403, Name: "TokenError", Message: "m"}, 403, `"error":"TokenError","message":"m"`, nil},
		{Fault{Do: FaultHTML}, 200, "<!doctype html>", nil},
		{Fault{Do: FaultHTML502}, 502, "502 Bad Gateway", nil},
		{Fault{Do: FaultForeignJSON}, 200, `{"hello":1}`, nil},
		{Fault{Do: FaultRedirect, Location: "https://example.test"}, 307, "", nil},
		{Fault{Do: FaultReset}, 0, "", syscall.ECONNRESET},
		{Fault{Do: FaultResetAfter}, 0, "", syscall.ECONNRESET},
		{Fault{Do: FaultCutBody}, 200, `"secretKey"`, io.ErrUnexpectedEOF},
		{Fault{Do: FaultFailAfter}, 500, "Something went wrong", nil},
		{Fault{Do: FaultSlowBody, Pace: time.Microsecond}, 200, `"secretValue":"2"`, nil},
		{Fault{Do: FaultEmptyList}, 200, `{"imports":[],"secrets":[]}`, nil},
		{Fault{Do: FaultLoseNames, Names: []string{"A"}}, 200, `"secretKey":"B"`, nil},
		{Fault{Do: FaultMaskValues, Names: []string{"A"}}, 200, `"secretValue":"<hidden-by-infisical>","secretValueHidden":true`, nil},
	} {
		t.Run(string(tt.fault.Do), func(t *testing.T) {
			s := New(t, Options{})
			must(t, s.SetAll(devRoot, values))
			c := loggedIn(t, s)
			c.extra = http.Header{"If-None-Match": {c.do("GET", path+v4(""), nil).header.Get("Etag")}}
			tt.fault.Kind, tt.fault.Skip, tt.fault.Times = KindList, 1, 1
			s.Fault(tt.fault)
			unmet := func(when string) {
				t.Helper()
				if got := c.do("GET", path+v4(""), nil); got.status != http.StatusNotModified {
					t.Errorf("%s: %d, want 304", when, got.status)
				}
			}
			c.do("GET", "/api/status", nil) // not a list
			unmet("a request that is let through")
			if tt.fault.Do == FaultCutBody || tt.fault.Do == FaultSlowBody {
				c.extra = nil // they need a body
			}
			got, err := c.send("GET", path+v4(""), nil)
			if !errors.Is(err, tt.failure) || tt.failure == nil && err != nil {
				t.Errorf("error %v, want %v", err, tt.failure)
			}
			if got.status != tt.status || !strings.Contains(got.text, tt.text) {
				t.Errorf("%d %.300s, want %d with %s", got.status, got.text, tt.status, tt.text)
			}
			if want := map[int]string{7: "7"}[tt.fault.RetryAfter]; got.header.Get("Retry-After") != want {
				t.Errorf("Retry-After %q, want %q", got.header.Get("Retry-After"), want)
			}
			if want := tt.fault.Location; want != "" && got.header.Get("Location") != want+path+v4("") {
				t.Errorf("Location %q", got.header.Get("Location"))
			}
			if tt.fault.Do == FaultLoseNames && strings.Contains(got.text, `"A"`) {
				t.Errorf("A was not lost: %s", got.text)
			}
			if got := c.do("GET", path+v4(""), nil); got.status != 304 && got.values()["A"] != "1" {
				t.Errorf("afterwards: %d %s", got.status, got.text)
			}
		})
	}
}

func TestAWriteThatFailsAfterItTookEffect(t *testing.T) {
	for _, action := range []Action{FaultFailAfter, FaultResetAfter, FaultStatus, FaultReset} {
		s := New(t, Options{})
		c := loggedIn(t, s)
		s.Fault(Fault{Do: action, Kind: KindWrite, Times: 1})
		got, err := c.send("POST", "/api/v4/secrets/A", body("secretValue", "1"))
		if err == nil && got.status != 500 {
			t.Errorf("%s: %d, want 500", action, got.status)
		}
		_, stored := s.Get(devRoot, "A")
		if want := action == FaultFailAfter || action == FaultResetAfter; stored != want {
			t.Errorf("%s: stored %v, want %v", action, stored, want)
		}
	}
}

// A request that hangs is answered when the fault is lifted.
func TestHangAndStall(t *testing.T) {
	for _, action := range []Action{FaultHang, FaultStallBody} {
		t.Run(string(action), func(t *testing.T) {
			s := New(t, Options{})
			must(t, s.Set(devRoot, "A", "1"))
			c := loggedIn(t, s)
			lift := s.Fault(Fault{Do: action, Kind: KindList})
			replies := make(chan reply, 1)
			go func() {
				got, _ := c.send("GET", "/api/v4/secrets"+v4(""), nil)
				replies <- got
			}()
			must(t, s.WaitArrived(t.Context(), KindList, 1))
			if s.Count(KindList) != 0 {
				t.Error("a request that hangs counts as answered")
			}
			lift()
			lift()
			if got := <-replies; got.values()["A"] != "1" {
				t.Errorf("%d %s", got.status, got.text)
			}
			if got := c.do("GET", "/api/v4/secrets"+v4(""), nil); got.status != 200 {
				t.Errorf("after it was lifted: %d", got.status)
			}
		})
	}
}

// Neither a client that goes away nor the server's end leaves a request hanging.
func TestHangEnds(t *testing.T) {
	s := New(t, Options{})
	c := loggedIn(t, s)
	s.Fault(Fault{Do: FaultHang})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL()+"/api/status", nil)
	must(t, err)
	failed := make(chan error, 2)
	go func() {
		_, err := roundTrip(req)
		failed <- err
	}()
	must(t, s.WaitArrived(t.Context(), KindStatus, 1))
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the client that gave up: %v", err)
	}
	must(t, s.Wait(t.Context(), KindStatus, 1))

	go func() {
		_, err := c.send("GET", "/api/status", nil)
		failed <- err
	}()
	must(t, s.WaitArrived(t.Context(), KindStatus, 2))
	must(t, s.Close())
	if err := <-failed; err == nil {
		t.Error("the server's end: an answer, want an error")
	}
	must(t, s.Wait(t.Context(), KindStatus, 2))
}

func TestHugeBody(t *testing.T) {
	s := New(t, Options{})
	s.Fault(Fault{Do: FaultHugeBody})
	resp, err := http.Get(s.URL() + "/api/status")
	must(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n <= 64<<20 {
		t.Errorf("%d bytes, %v, want more than 64 MiB", n, err)
	}
}

// Of several faults the first meets a request; a lifted one meets none.
func TestSeveralFaults(t *testing.T) {
	s := New(t, Options{})
	c := &client{t: t, s: s}
	want := func(statuses ...int) {
		t.Helper()
		for _, status := range statuses {
			if got := c.do("GET", "/api/status", nil); got.status != status {
				t.Errorf("%d, want %d", got.status, status)
			}
		}
	}
	lift := s.Fault(Fault{Do: FaultStatus, Status: 502, Kind: KindStatus, Times: 2})
	s.Fault(Fault{Do: FaultStatus, Status: 503})
	want(502)
	lift()
	want(503, 503)
	s.LiftFaults()
	want(200)
}

func TestUnknownFault(t *testing.T) {
	for _, f := range []Fault{{Do: "x"}, {Do: FaultReset, Kind: "x"}, {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Fault(%+v) did not panic", f)
				}
			}()
			New(t, Options{}).Fault(f)
		}()
	}
}
