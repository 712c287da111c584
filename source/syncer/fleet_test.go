package syncer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
)

// A fleet is many syncers on one server, in a bubble whose clock costs nothing: what
// decides when they ask is what runs in production, and so is what they ask.
type fleet struct {
	server  *infisicaltest.Server
	handler http.Handler
	began   time.Time
	outage  span

	mu      sync.Mutex
	asked   []time.Duration // since the begin, of every request and every connection refused
	reached map[int]time.Duration
}

// A span is a part of the simulated time, [from, to).
type span struct{ from, to time.Duration }

func (s span) holds(at time.Duration) bool { return s.from <= at && at < s.to }

// A line is one replica's way to the server.
type line struct {
	*fleet
	replica int
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// RoundTrip has the server answer in memory, or, in an outage, refuses.
func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	at := time.Since(l.began)
	l.mu.Lock()
	l.asked = append(l.asked, at)
	if l.outage.to <= at && l.reached[l.replica] == 0 {
		l.reached[l.replica] = at
	}
	l.mu.Unlock()
	if l.outage.holds(at) {
		return nil, errRefused
	}
	served := r.Clone(r.Context())
	served.RequestURI, served.RemoteAddr = r.URL.RequestURI(), fmt.Sprintf("10.0.0.1:%d", 1024+l.replica)
	if r.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	l.handler.ServeHTTP(recorder, served)
	return recorder.Result(), nil
}

// replica starts one syncer and takes what it sends, until ctx ends.
func (f *fleet) replica(ctx context.Context, n int) error {
	id, secret := f.server.Credentials()
	login := infisical.UniversalAuth{ClientID: id, Secret: func() (source.Value, error) { return source.NewValue(secret), nil }}
	client, err := infisical.New(infisical.Config{URL: f.server.URL(), Login: login, Transport: line{f, n}})
	if err != nil {
		return err
	}
	s := New(Options{
		Client: client,
		Known: source.Scope{URL: client.URL(), Method: login.Method(), Identity: login.Identity(), Imports: true, Expand: true,
			Places: []source.Place{{Project: f.server.Project(), Environment: "dev", Path: "/"}}},
		Interval:   time.Minute,
		Credential: func() (string, source.Value, error) { return id, source.NewValue(secret), nil },
	})
	if _, err := s.Start(ctx); err != nil {
		return err
	}
	for range s.Watch(ctx) {
	}
	return nil
}

// A scenario is a fleet that starts within spread and runs for length.
type scenario struct {
	name           string
	spread, length time.Duration
	outage         span
}

// simulate returns what the server saw of the scenario.
func simulate(t *testing.T, server *infisicaltest.Server, replicas int, sc scenario) *fleet {
	f := &fleet{server: server, handler: server.Handler(), outage: sc.outage, reached: make(map[int]time.Duration)}
	synctest.Test(t, func(t *testing.T) {
		f.began = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		for n := range replicas {
			go func() {
				time.Sleep(time.Duration(rand.Float64() * float64(sc.spread)))
				if err := f.replica(ctx, n); err != nil {
					t.Errorf("replica %d: %v", n, err)
				}
			}()
		}
		time.Sleep(sc.length)
		cancel()
		synctest.Wait()
	})
	return f
}

// rates returns the highest rate within a window of s, in requests per second, and
// the mean rate over all of it.
func (f *fleet) rates(s span, window time.Duration) (peak, mean float64) {
	counts := make(map[time.Duration]int)
	total := 0
	for _, at := range f.asked {
		if s.holds(at) {
			counts[at/window]++
			total++
		}
	}
	for _, n := range counts {
		peak = max(peak, float64(n)/window.Seconds())
	}
	return peak, float64(total) / (s.to - s.from).Seconds()
}

// TestFleet: how a server fares with many replicas, whose load comes back after an
// outage in less than three times the mean. INFISYNC_SOAK simulates more of them, and
// -v prints the table of BENCH.md.
func TestFleet(t *testing.T) {
	replicas, window := 200, 10*time.Second // in a window there are enough requests that chance decides little
	if os.Getenv("INFISYNC_SOAK") != "" {
		replicas, window = 2000, time.Second
	}
	const settled, down = 10 * time.Minute, 10 * time.Minute
	scenarios := []scenario{
		{name: "steady", spread: time.Minute, length: 20 * time.Minute},
		{name: "mass restart", spread: time.Second, length: 20 * time.Minute},
		{name: "outage", spread: time.Minute, length: 40 * time.Minute, outage: span{settled, settled + down}},
		{name: "outage of an hour", spread: time.Minute, length: 90 * time.Minute, outage: span{settled, settled + time.Hour}},
		{name: "outage right after a mass restart", spread: time.Second, length: 40 * time.Minute, outage: span{2 * time.Second, 2*time.Second + down}},
	}
	usual := float64(replicas) * 2 / 60 // a login and a listing each minute
	t.Logf("%-34s %8s %8s %8s %8s %10s", "requests/s of 1,000 replicas", "mean", "peak", "in outage", "after", "all back")
	for _, sc := range scenarios {
		server := infisicaltest.New(t, infisicaltest.Options{})
		if err := server.Set(source.Place{Project: server.Project(), Environment: "dev", Path: "/"}, "A", "1"); err != nil {
			t.Fatal(err)
		}
		f := simulate(t, server, replicas, sc)
		scale := 1000 / float64(replicas)
		afterStart := span{max(sc.spread, 2*time.Second), sc.length}
		peak, mean := f.rates(afterStart, window)
		line := fmt.Sprintf("%-34s %8.1f %8.1f", sc.name, mean*scale, peak*scale)
		if sc.outage == (span{}) {
			t.Log(line)
			continue
		}
		within, _ := f.rates(sc.outage, window)
		after, _ := f.rates(span{sc.outage.to, sc.length}, window)
		var back []time.Duration
		for _, at := range f.reached {
			back = append(back, at-sc.outage.to)
		}
		slices.Sort(back)
		t.Logf("%s %8.1f %8.1f %10s %s", line, within*scale, after*scale, back[len(back)-1].Round(time.Second), back[len(back)/2].Round(time.Second))
		if len(back) != replicas {
			t.Errorf("%s: %d of %d replicas came back", sc.name, len(back), replicas)
		}
		if after >= 3*usual {
			t.Errorf("%s: the peak after it is %.1f requests per second, not below 3 times the usual %.1f", sc.name, after, usual)
		}
	}
}
