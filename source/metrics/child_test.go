package metrics

import (
	"strings"
	"testing"
	"time"
)

// TestChild goes through what befalls children. After each step the metrics that the
// step names must have these values, and /readyz must say why it is not ready.
func TestChild(t *testing.T) {
	t1, t2 := time.Unix(1700000001, 0), time.Unix(1700000002, 0)
	type step struct {
		do    func(*Metrics)
		want  string // NAME VALUE, separated by commas; a name alone must not be there
		ready string // why not; empty: it is ready
	}
	for name, tt := range map[string]struct {
		overlap bool
		steps   []step
	}{
		"change and rollback": {steps: []step{
			{func(*Metrics) {}, "child_up 0, child_stale, child_start_timestamp_seconds", "the child is not started yet"},
			{func(m *Metrics) { m.Built("a", t1); m.Started(1, "a") }, "child_up 1, child_healthy 0, child_stale 0", "the child is not healthy yet"},
			{func(m *Metrics) { m.Healthy(1) }, "child_healthy 1, child_secrets_timestamp_seconds 1700000001", ""},
			{func(m *Metrics) { m.Built("b", t2) }, "child_stale 1, child_secrets_timestamp_seconds 1700000001", ""},
			{func(m *Metrics) { m.Replacing() }, "child_up 1", "the child is being replaced"},
			{func(m *Metrics) { m.Ended(1) }, "child_up 0, child_healthy 0", "no child runs"},
			{func(m *Metrics) { m.Started(2, "b"); m.Healthy(2) }, "child_stale 0, child_secrets_timestamp_seconds 1700000002, restarts_total{reason=\"change\"} 1", ""},
			{func(m *Metrics) { m.Ended(2); m.Quarantined(true); m.RolledBack() }, "rollbacks_total 1, secrets_quarantined 1", "no child runs"},
			{func(m *Metrics) { m.Started(3, "a"); m.Healthy(3) }, "child_stale 1, child_secrets_timestamp_seconds 1700000001, restarts_total{reason=\"rollback\"} 1, restarts_total{reason=\"change\"} 1", ""},
			{func(m *Metrics) { m.Quarantined(false) }, "secrets_quarantined 0", ""},
			{func(m *Metrics) { m.Built("a", t1) }, "child_stale 0, secrets_refused 0", ""},
			{func(m *Metrics) { m.Refused() }, "child_stale 1, secrets_refused 1", ""},
			{func(m *Metrics) { m.Built("a", t1) }, "child_stale 0, secrets_refused 0", ""},
			{func(m *Metrics) { m.Stopping() }, "child_up 1", "stopping"},
		}},
		"ends by itself": {steps: []step{
			{func(m *Metrics) { m.Started(1, "a"); m.Healthy(1); m.Ended(1); m.Waiting() }, "restarts_total{reason=\"exit\"} 0", "no child runs"},
			{func(m *Metrics) { m.Started(2, "a"); m.Healthy(2) }, "restarts_total{reason=\"exit\"} 1", ""},
			{func(m *Metrics) { m.Unhealthy(2) }, "child_healthy 0", "the child is not healthy yet"},
			{func(m *Metrics) { m.Replacing(); m.Ended(2); m.Started(3, "b") }, "restarts_total{reason=\"exit\"} 1, restarts_total{reason=\"change\"} 1", "the child is not healthy yet"},
		}},
		"given by a file": {steps: []step{
			{func(m *Metrics) { m.Built("a", t1); m.Started(1, "a"); m.Healthy(1); m.Built("b", t2) }, "child_stale 1", ""},
			{func(m *Metrics) { m.Given(1, "b") }, "child_stale 0, child_secrets_timestamp_seconds 1700000002, restarts_total{reason=\"change\"} 0", ""},
			{func(m *Metrics) { m.Given(2, "a") }, "child_stale 0", ""},
		}},
		"overlap": {overlap: true, steps: []step{
			{func(m *Metrics) { m.Built("a", t1); m.Started(1, "a"); m.Healthy(1); m.Built("b", t2); m.Replacing() }, "child_stale 1", ""},
			{func(m *Metrics) { m.Started(2, "b") }, "child_stale 1, restarts_total{reason=\"change\"} 0", ""},
			{func(m *Metrics) { m.Unhealthy(2); m.Healthy(1); m.Ended(2) }, "child_stale 1, restarts_total{reason=\"change\"} 0", ""},
			{func(m *Metrics) { m.Replacing(); m.Started(3, "b"); m.Healthy(3) }, "child_stale 0, restarts_total{reason=\"change\"} 1", ""},
			{func(m *Metrics) { m.Ended(1) }, "child_up 1, child_stale 0, restarts_total{reason=\"change\"} 1", ""},
			{func(m *Metrics) { m.Replacing(); m.Started(4, "c"); m.Ended(3) }, "child_up 1, child_healthy 0, restarts_total{reason=\"change\"} 2", "the child is not healthy yet"},
			{func(m *Metrics) { m.Healthy(4) }, "child_healthy 1, restarts_total{reason=\"change\"} 2", ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, Options{Child: true, Overlap: tt.overlap})
			for i, step := range tt.steps {
				step.do(m)
				got := "\n" + text(t, m)
				for want := range strings.SplitSeq(step.want, ", ") {
					there := strings.Contains(got, "\ninfisync_"+want+"\n")
					if absent := !strings.Contains(want, " "); absent && strings.Contains(got, "\ninfisync_"+want) || !absent && !there {
						t.Errorf("step %d: want %s in%s", i, want, got)
					}
				}
				if ready := m.notReady(time.Now()); ready != step.ready {
					t.Errorf("step %d: not ready: %q, want %q", i, ready, step.ready)
				}
			}
		})
	}
}

// TestConfirm: the set that the child has grows no older while the server confirms it,
// and does once there is a newer one.
func TestConfirm(t *testing.T) {
	m := open(t, Options{Child: true})
	at := func(second int64) Held { return Held{Server, 1, time.Unix(second, 0)} }
	m.Hold("dev-1", at(1000))
	m.Built("a", time.Unix(1000, 0))
	m.Started(1, "a")
	m.Confirm("dev-1", at(1060))
	want := func(name, value string) {
		t.Helper()
		if got := text(t, m); !strings.Contains(got, "\ninfisync_"+name+" "+value+"\n") {
			t.Errorf("want %s %s in\n%s", name, value, got)
		}
	}
	want("child_secrets_timestamp_seconds", "1060")
	m.Hold("dev-1", at(1120))
	m.Built("b", time.Unix(1120, 0))
	m.Confirm("dev-1", at(1180))
	want("child_secrets_timestamp_seconds", "1060")
	want(`last_sync_timestamp_seconds{scope="dev-1"}`, "1180")
}

// TestConfirmedIsBounded: of many rotations only the last times are kept, and that of
// the set that the child has.
func TestConfirmedIsBounded(t *testing.T) {
	m := open(t, Options{Child: true})
	m.Built("first", time.Unix(1000, 0))
	m.Started(1, "first")
	for n := range int64(100) {
		m.Built(strings.Repeat("x", int(n)+1), time.Unix(2000+n, 0))
	}
	if n := len(m.child.confirmed); n != maxConfirmed {
		t.Errorf("%d times are kept, want %d", n, maxConfirmed)
	}
	if got := text(t, m); !strings.Contains(got, "\ninfisync_child_secrets_timestamp_seconds 1000\n") {
		t.Errorf("the time of the child's set is not kept in\n%s", got)
	}
}
