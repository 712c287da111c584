package metrics

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contentType is that of the text format, which every Prometheus reads.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// A family is what the text format calls the samples of one name:
//
//	# HELP infisync_polls_total Polls of the server by result.
//	# TYPE infisync_polls_total counter
//	infisync_polls_total{result="failed"} 0
type family struct {
	name, kind, help string
	samples          []sample
}

// A sample is a value with its labels, NAME="VALUE" separated by commas.
type sample struct {
	labels string
	value  float64
}

// write writes the families that have samples.
func write(w io.Writer, families []family) error {
	var b strings.Builder
	for _, f := range families {
		if len(f.samples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		for _, s := range f.samples {
			b.WriteString(f.name)
			if s.labels != "" {
				b.WriteString("{" + s.labels + "}")
			}
			b.WriteString(" " + strconv.FormatFloat(s.value, 'f', -1, 64) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// label is one label as the format wants it.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// labels are several of them.
func labels(each ...string) string { return strings.Join(each, ",") }

// only is the one sample of a family without labels.
func only(value float64) []sample { return []sample{{value: value}} }

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds is a time since 1970, of which the zero time has none.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// counted are the counts by label, in the order of its values, with those that must
// be there from the beginning, so that their first increase is seen.
func counted[K ~string](name string, counts map[K]int, always ...K) []sample {
	keys := slices.Collect(maps.Keys(counts))
	for _, key := range always {
		if _, ok := counts[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	samples := make([]sample, len(keys))
	for i, key := range keys {
		samples[i] = sample{label(name, string(key)), float64(counts[key])}
	}
	return samples
}

// Write writes all metrics in the text format; a nil *Metrics has none.
func (m *Metrics) Write(w io.Writer) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	families := m.ofSyncs()
	if m.opt.Child {
		families = append(families, m.child.families()...)
	}
	m.mu.Unlock()
	return write(w, families)
}

func (m *Metrics) ofSyncs() []family {
	build := labels(label("version", m.opt.Version), label("goversion", runtime.Version()))
	var synced, secrets, origins []sample
	for _, folder := range slices.Sorted(maps.Keys(m.scopes)) {
		held, scope := m.scopes[folder], []string{label("scope", folder)}
		if folder == "" {
			scope = nil
		}
		secrets = append(secrets, sample{labels(scope...), float64(held.Secrets)})
		if !held.Synced.IsZero() {
			synced = append(synced, sample{labels(scope...), seconds(held.Synced)})
		}
		for _, origin := range []Origin{Dotenv, Server, Vault} {
			origins = append(origins, sample{labels(append(scope, label("source", string(origin)))...), truth(held.Origin == origin)})
		}
	}
	return []family{
		{"infisync_build_info", "gauge", "What this infisync is, in its labels.", []sample{{build, 1}}},
		{"infisync_polls_total", "counter", "Polls of the server by result.", counted("result", m.polls, Changed, Failed, Unchanged)},
		{"infisync_errors_total", "counter", "Failures by error code: of polls, of keeping what they brought, of files and environments.", counted("code", m.errors)},
		{"infisync_last_sync_timestamp_seconds", "gauge", "When the server last confirmed the newest set.", synced},
		{"infisync_secrets", "gauge", "How many secrets the newest set has.", secrets},
		{"infisync_secrets_source", "gauge", "Who gave the newest set: 1 for the one, 0 for the others.", origins},
	}
}

func (c *child) families() []family {
	var serving process // the zero process: none runs
	if len(c.running) > 0 {
		serving = c.running[0]
	}
	var since, confirmed, stale []sample
	if serving.pid != 0 {
		since = only(seconds(serving.since))
		stale = only(truth(serving.env != c.newest))
		if synced, ok := c.confirmed[serving.env]; ok {
			confirmed = only(seconds(synced))
		}
	}
	return []family{
		{"infisync_child_up", "gauge", "Whether a child runs.", only(truth(serving.pid != 0))},
		{"infisync_child_healthy", "gauge", "Whether the child that runs has passed its health check, if there is one.", only(truth(serving.healthy))},
		{"infisync_child_start_timestamp_seconds", "gauge", "When the child was started.", since},
		{"infisync_child_stale", "gauge", "Whether the child runs with another set than the newest.", stale},
		{"infisync_child_secrets_timestamp_seconds", "gauge", "When the server last confirmed the set that the child runs with.", confirmed},
		{"infisync_restarts_total", "counter", "Children that took the place of another, by reason.", counted("reason", c.restarts, ForChange, ForExit, ForRollback)},
		{"infisync_rollbacks_total", "counter", "How often a child failed with changed secrets and the previous ones came back.", only(float64(c.rollbacks))},
		{"infisync_secrets_quarantined", "gauge", "Whether the newest set made a child fail and is not tried for a while.", only(truth(c.quarantined))},
		{"infisync_secrets_refused", "gauge", "Whether the newest set cannot be given to a child: a restart of infisync would fail.", only(truth(c.refused))},
	}
}
