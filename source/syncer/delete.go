package syncer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/state"
	"infisync/source/vault"
)

// DeleteOptions say what to delete.
type DeleteOptions struct {
	Names []string // of secrets of the one place

	// Forget takes a secret that is gone out of what else is kept about it; nil:
	// nothing is.
	Forget func(place source.Place, name string) error
	// Progress is as in PushOptions, of the secrets that are there.
	Progress func(done, total int)
}

// A DeleteReport is what a deletion did.
type DeleteReport struct {
	Place   source.Place
	NotKept string   // why the vault does not have the values; empty: it has
	Secrets []Result // in the order they were named, each once
}

// Delete deletes secrets from the one place of Options.Known, then from the vault,
// where each can be restored for 30 days. It is stored there before it is deleted:
// a deletion that was killed loses nothing and can be repeated. A secret that is
// gone already is deleted from the vault all the same. One that is refused does not
// stop the others.
//
// Without a vault the values are lost; the report says so. A vault that cannot be
// written is an error, and nothing is deleted. Other errors are as in Push; the
// report is right also with an error. Delete is called instead of Start.
func (s *Syncer) Delete(ctx context.Context, opt DeleteOptions) (DeleteReport, error) {
	var report DeleteReport
	session, place, err := s.begin(ctx, "delete")
	if err != nil {
		return report, err
	}
	defer s.opt.Client.Close()
	report.Place = place
	held, err := s.readBefore(ctx, session, place)
	if err != nil {
		return report, err
	}
	if held.missing {
		return report, source.Errorf(source.CodePlaceNotFound, "there is no folder %q", place)
	}
	var changes []*change
	report.Secrets, changes = planDeletion(opt.Names, held)
	kept := s.newKeeping(place, held)
	report.NotKept = kept.not
	if err := kept.before(ctx, changes); err != nil {
		return report, source.Errorf(source.CodeOf(err), "nothing is deleted, since the values cannot be kept: %w", err)
	}
	w := &writer{session: session, policy: s.opt.Client.Policy(), place: place, held: held, progress: opt.Progress}
	ended := w.run(ctx, changes)
	if ended != nil {
		ended = s.explainMissing(ctx, session, place, ended)
	}
	err = incomplete("were not deleted", place, report.Secrets, ended)
	if s.store == nil {
		return report, err // nothing is kept about what is gone
	}
	return report, errors.Join(err, kept.after(report.Secrets), forget(opt.Forget, place, report.Secrets))
}

// planDeletion settles the names that are gone already. An empty listing settles
// none: old servers list nothing where there is no such folder, and only the answer
// to a deletion tells it.
func planDeletion(names []string, held holding) ([]Result, []*change) {
	results := make([]Result, 0, len(names))
	var changes []*change
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		results = append(results, Result{Name: name})
		result := &results[len(results)-1]
		if _, there := held.set.Get(name); !there && held.set.Len() > 0 {
			result.Outcome = OutcomeGone
			continue
		}
		changes = append(changes, &change{action: toDelete, item: infisical.Item{Name: name}, result: result})
	}
	return results, changes
}

// forget calls the caller back for each name that the server holds no more.
func forget(callback func(source.Place, string) error, place source.Place, results []Result) error {
	var errs []error
	for _, r := range results {
		if callback != nil && (r.Outcome == OutcomeDeleted || r.Outcome == OutcomeGone) {
			errs = append(errs, callback(place, r.Name))
		}
	}
	return errors.Join(errs...)
}

// A keeping stores in the vault what is deleted on the server.
type keeping struct {
	syncer *Syncer
	place  source.Place
	held   holding
	at     time.Time // of the deletion, for all names
	not    string    // why there is nothing to keep it in; empty: there is
}

func (s *Syncer) newKeeping(place source.Place, held holding) *keeping {
	k := &keeping{syncer: s, place: place, held: held, at: time.Now().UTC()}
	switch {
	case s.store == nil:
		k.not = "there is no state directory that can be written"
	case s.opt.Key.IsZero():
		k.not = "there is no key for a vault"
	case held.blind:
		k.not = "the identity may not read them"
	}
	return k
}

// before puts the values of what will be deleted among what was.
func (k *keeping) before(ctx context.Context, changes []*change) error {
	if k.not != "" || k.held.set.Len() == 0 || len(changes) == 0 {
		return nil
	}
	return k.update(ctx, func(c *vault.Contents) error {
		for _, change := range changes {
			k.put(c, change.item.Name)
		}
		return nil
	})
}

// after makes vault and state agree with what the server says.
func (k *keeping) after(results []Result) error {
	s := k.syncer
	if s.store == nil || s.opt.Key.IsZero() {
		return nil
	}
	path := vault.Path(s.store.dir, s.opt.Key, s.scope())
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was kept, and there is nothing to delete
	}
	// Not the command's context: what is deleted on the server must not come back from
	// the vault because the user ended the command.
	ctx, cancel := context.WithTimeout(context.Background(), s.opt.Policy.LockWait)
	defer cancel()
	var pulled []string // names taken out of the pulled set
	err := k.update(ctx, func(c *vault.Contents) error {
		for i := range results {
			if k.settle(c, &results[i]) {
				pulled = append(pulled, results[i].Name)
			}
		}
		return nil
	})
	if err != nil {
		return source.Errorf(source.CodeOf(err), "deleted on the server, but not in the vault: %w", err)
	}
	if len(pulled) > 0 {
		s.writeState(ctx, func(f *state.File) {
			for _, name := range pulled {
				delete(f.Secrets, name)
			}
		})
	}
	return nil
}

// settle takes a name out of the vault as far as the server's answer asks for it,
// and tells whether it was among the pulled ones.
func (k *keeping) settle(c *vault.Contents, r *Result) (wasPulled bool) {
	switch r.Outcome {
	case OutcomeUnknown: // it may be needed
		return false
	case OutcomeDeleted, OutcomeGone:
	default:
		k.drop(c, r.Name)
		return false
	}
	pulled, inSet := c.Set.Get(r.Name)
	// What an import or another place gives under that name is not deleted, and what
	// comes out from behind the deleted one is known after the next pull only. Until
	// then children keep a whole set.
	if !inSet || pulled.Place == k.place && !pulled.Imported && len(pulled.Hides) == 0 {
		c.Delete(r.Name, k.at)
		wasPulled = inSet
	}
	k.put(c, r.Name)
	r.Restorable = slices.ContainsFunc(c.Deleted, func(d vault.Deleted) bool { return d.Name == r.Name })
	return wasPulled
}

// put makes what the server held the value of that name that is restored first.
// It has references unexpanded, where a pulled value may have them expanded.
func (k *keeping) put(c *vault.Contents, name string) {
	secret, there := k.held.set.Get(name)
	if !there || k.held.blind {
		return
	}
	c.Deleted = slices.DeleteFunc(c.Deleted, func(d vault.Deleted) bool {
		return d.Name == name && d.Value.Equal(secret.Value)
	})
	c.Deleted = append(c.Deleted, vault.Deleted{Name: name, Value: secret.Value, Origin: k.place.String(), At: k.at})
}

// drop undoes before for a name that was not deleted.
func (k *keeping) drop(c *vault.Contents, name string) {
	c.Deleted = slices.DeleteFunc(c.Deleted, func(d vault.Deleted) bool {
		return d.Name == name && d.At.Equal(k.at)
	})
}

func (k *keeping) update(ctx context.Context, edit func(*vault.Contents) error) error {
	s := k.syncer
	aside, err := vault.Update(ctx, s.store.dir, s.opt.Key, s.scope(), edit)
	s.sayAside(aside)
	return err
}
