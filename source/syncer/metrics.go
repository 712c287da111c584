package syncer

import (
	"infisync/source"
	"infisync/source/metrics"
)

// OpenMetrics begins to serve what the settings ask for, if they do, for a process that
// runs a child or else keeps a vault. A variable may be meant for another than this
// process: for the infisync around it, or for one that stays.
func (u Setup) OpenMetrics(version string, child bool) (*metrics.Metrics, error) {
	s := u.Settings
	from := s.Origin("http")
	oneShot := !child && !s.Watch
	switch {
	case s.HTTP == "" || from != "--http" && (s.Nested || oneShot):
		return nil, nil
	case oneShot:
		return nil, source.Errorf(source.CodeUsage, "%s without --watch: nothing stays resident to serve it", from)
	case s.Exec:
		return nil, source.Errorf(source.CodeUsage, "%s together with --exec: nothing stays resident to serve it", from)
	}
	opt := metrics.Options{
		Address: s.HTTP, Setting: from, Version: version, Log: u.Log,
		Child: child, Overlap: s.Overlap, MaxAge: s.MaxAge,
	}
	if !s.Given("max-age") {
		opt.MaxAge = max(opt.MaxAge, 3*s.Interval) // less would fail between two polls
	}
	return metrics.Open(opt)
}

// observe shows the current set, if there is one: whether it is another than before.
func (s *Syncer) observe(changed bool) {
	current := s.current
	held := metrics.Held{Origin: metrics.Server, Secrets: current.Secrets.Len(), Synced: current.Pulled}
	folder := ""
	switch {
	case s.opt.Metrics == nil:
		return
	case current.From == FromDotenv:
		held = metrics.Held{Origin: metrics.Dotenv, Secrets: current.Dotenv.Len()}
	case current.Pulled.IsZero():
		return // nothing was synced yet
	default:
		folder = s.scope().Folder()
	}
	if current.From == FromVault {
		held.Origin = metrics.Vault
	}
	if changed {
		s.opt.Metrics.Hold(folder, held)
	} else {
		s.opt.Metrics.Confirm(folder, held)
	}
}

// result is what a poll that was answered came to.
func result(changed bool) metrics.Result {
	if changed {
		return metrics.Changed
	}
	return metrics.Unchanged
}
