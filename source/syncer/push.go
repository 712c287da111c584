package syncer

import (
	"context"

	"infisync/source"
	"infisync/source/infisical"
)

// PushOptions say what to push, and how.
type PushOptions struct {
	Secrets       source.Set // names and values; where they came from does not matter
	Normalize     bool       // under names as NormalizeName makes them
	CreateFolders bool       // make the place's folder, and those above it, when missing
	DryRun        bool       // read the place, write nothing

	// Progress is told after each request how many of the secrets that must be
	// written are settled, at the end all of them; nil: nobody is. It is called by
	// Push's goroutine.
	Progress func(done, total int)
}

// A PushReport is what a push did, or in a dry run would do.
type PushReport struct {
	Place      source.Place
	DryRun     bool
	MadeFolder bool     // the place's folder was missing and made
	Secrets    []Result // by name
}

// Written is how many secrets the push wrote: none in a dry run.
func (r PushReport) Written() int {
	if r.DryRun {
		return 0
	}
	return count(r.Secrets, OutcomeCreated, OutcomeUpdated)
}

// Push writes secrets to the one place of Options.Known. What the server holds
// already, after its own trimming, is not written; what it does not hold and Push
// was not given stays. One secret that is refused does not stop the others. A push
// that was killed can be repeated: it finds what the first one did.
//
// The report is right also when there is an error. Errors: source.CodeUsage for
// several places, or two names that Normalize makes one; source.CodePlaceNotFound;
// the code of the first secret that was not written; what can go wrong with any
// request. Push is called instead of Start.
func (s *Syncer) Push(ctx context.Context, opt PushOptions) (PushReport, error) {
	report := PushReport{DryRun: opt.DryRun}
	secrets, given := opt.Secrets, map[string]string(nil)
	if opt.Normalize {
		var err error
		if secrets, given, err = normalized(secrets); err != nil {
			return report, err
		}
	}
	session, place, err := s.begin(ctx, "push")
	if err != nil {
		return report, err
	}
	defer s.opt.Client.Close()
	report.Place = place
	held, err := s.readBefore(ctx, session, place)
	if err != nil {
		return report, err
	}
	if held.missing && !opt.CreateFolders {
		return report, source.Errorf(source.CodePlaceNotFound, "there is no folder %q", place)
	}
	var changes []*change
	report.Secrets, changes = plan(secrets, given, held)
	if opt.DryRun {
		report.MadeFolder = held.missing
		return report, incomplete("would not be written", place, report.Secrets, nil)
	}
	w := &writer{
		session: session, policy: s.opt.Client.Policy(), place: place, held: held,
		folders: opt.CreateFolders, apart: s.opt.Client.Legacy(), progress: opt.Progress,
	}
	ended := w.run(ctx, changes)
	report.MadeFolder = w.made
	s.countPushed(report.Written())
	if ended != nil {
		ended = s.explainMissing(ctx, session, place, ended)
	}
	return report, incomplete("were not written", place, report.Secrets, ended)
}

// plan compares what is to be pushed with what the place holds. The changes settle
// the results that have no outcome yet; in a dry run nobody does, so that each
// begins with the outcome it should have.
func plan(secrets source.Set, given map[string]string, held holding) ([]Result, []*change) {
	results := make([]Result, 0, secrets.Len())
	var changes []*change
	for secret := range secrets.All() {
		results = append(results, Result{Name: secret.Name})
		result := &results[len(results)-1] // stays where it is: results has room for all
		if was := given[secret.Name]; was != secret.Name {
			result.Given = was
		}
		kept := infisical.Normalize(secret.Value)
		result.Trimmed = !kept.Equal(secret.Value)
		old, there := held.set.Get(secret.Name)
		err := infisical.CheckValue(secret.Value)
		if err == nil && !there {
			err = infisical.CheckName(secret.Name)
		}
		switch {
		case err != nil:
			result.fail(OutcomeRefused, err)
			continue
		case there && !held.blind && old.Value.Equal(kept):
			result.Outcome, result.Version = OutcomeUnchanged, old.Version
			continue
		}
		c := &change{action: toCreate, item: infisical.Item{Name: secret.Name, Value: secret.Value}, result: result}
		if there {
			c.action, c.old = toUpdate, old.Value
		}
		result.Outcome = c.action.outcome()
		changes = append(changes, c)
	}
	return results, changes
}
