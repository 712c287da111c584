package syncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"infisync/source"
	"infisync/source/graph"
	"infisync/source/infisical"
	"infisync/source/metrics"
	"infisync/source/state"
	"infisync/source/vault"
)

// Orphans says which secrets a sync removes from the vault.
type Orphans string

// What to remove.
const (
	KeepOrphans   Orphans = ""
	ServerOrphans Orphans = "server" // what came from the server once and is there no more
	AllOrphans    Orphans = "all"    // also what was only ever local
)

// A SyncReport is what one sync of one scope did. Names are sorted.
type SyncReport struct {
	Places    []source.Place
	Secrets   int // in the set
	New       []string
	Changed   []string
	Gone      []string // no longer on the server; kept in the vault as orphans
	Removed   []string // orphans taken out of the vault
	Unchanged int
	Kept      string // why orphans were not removed; empty: they were, or need not be
}

// Sync pulls once and stores what it got: vault, state and graph. It is called
// instead of Start, by who wants the stores and not the secrets; Watch may follow.
// With an error nothing was stored.
func (s *Syncer) Sync(ctx context.Context) (SyncReport, error) {
	if s.opt.Client == nil {
		return SyncReport{}, source.Errorf(source.CodeNothingConfigured, "no server is configured: there is nothing to pull")
	}
	if err := s.openStore(); err != nil {
		return SyncReport{}, err
	}
	if s.store == nil {
		return SyncReport{}, source.Errorf(source.CodeStateDir, "there is nowhere to store the pulled secrets: set --state-dir to a writable directory")
	}
	before, _ := s.peekVault() // without one everything is new
	limit := s.opt.StartTimeout
	if limit == 0 {
		limit = s.opt.Policy.PatientStart
	}
	patient := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer s.waits()()
	p, err := s.pull(ctx, s.opt.Client)
	if err == nil {
		p, err = s.confirmFirst(ctx, p, before.Set)
	}
	if err != nil {
		s.failedFirst(patient, err)
		if !before.Pulled.IsZero() { // a watch tells by it what was lost
			s.current.From, s.current.Secrets = FromVault, before.Set
			s.opt.Metrics.Hold(before.Scope.Folder(), metrics.Held{Origin: metrics.Vault, Secrets: before.Set.Len(), Synced: before.Pulled})
		}
		return SyncReport{Places: s.places}, err
	}
	s.followSecret(ctx, s.loggedIn)
	s.accept(p, p.set())
	doubt := s.doubt(p)
	if doubt == "" && s.opt.Orphans != KeepOrphans {
		doubt = s.listAgain(ctx)
	}
	s.learnProjects(ctx)
	report := s.storeSync(ctx, doubt)
	s.opt.Metrics.Polled(result(!before.Set.Equal(s.current.Secrets)))
	s.observe(true)
	s.tellComplete(before.Set)
	return report, nil
}

// learnWait bounds what is asked for the graph only.
const learnWait = 5 * time.Second

// learnProjects asks for the names and environments of projects that were given by
// id, for the graph. What the server does not tell stays as an earlier sync knew it.
func (s *Syncer) learnProjects(ctx context.Context) {
	if s.store == nil || s.projects != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, learnWait)
	defer cancel()
	for _, id := range s.scope().Projects() {
		if project, err := s.session.Project(ctx, id); err == nil {
			s.learned = append(s.learned, project)
		}
	}
}

// doubt says why a pull is not good enough to delete by: a place or an import that
// lists nothing may be one that the server merely does not know.
func (s *Syncer) doubt(p pull) string {
	for i, answer := range p.answers {
		if len(answer.Listing.Own) == 0 {
			return fmt.Sprintf("%s lists nothing of its own", s.places[i])
		}
		for _, imported := range answer.Listing.Imports {
			if len(imported.Secrets) == 0 {
				return fmt.Sprintf("the import of %s lists nothing", imported.Place)
			}
		}
	}
	return ""
}

// listAgain lists a second time ahead of a deletion and says what speaks against
// it.
func (s *Syncer) listAgain(ctx context.Context) string {
	s.known = make(map[source.Place]infisical.Answer) // whole listings, not "not modified"
	again, err := s.list(ctx, s.session)
	switch {
	case err != nil:
		return fmt.Sprintf("the second listing failed: %v", err)
	case !again.set().Equal(s.current.Secrets):
		return "two listings in a row differ"
	}
	return s.doubt(again)
}

// storeSync stores the current set and reports what that changed. Orphans are
// removed only without a doubt.
func (s *Syncer) storeSync(ctx context.Context, doubt string) SyncReport {
	report := SyncReport{Places: s.places, Secrets: s.current.Secrets.Len()}
	changes := s.storePull(ctx)
	if s.opt.Key.IsZero() {
		changes.New = s.current.Secrets.Lost(source.Set{}) // nothing tells what is new
	}
	s.storeGraph(ctx)
	report.New, report.Changed, report.Gone, report.Unchanged = changes.New, changes.Changed, changes.Gone, changes.Unchanged
	if s.opt.Orphans == KeepOrphans {
		return report
	}
	if doubt != "" {
		report.Kept = doubt
		return report
	}
	report.Removed = s.removeOrphans(ctx)
	return report
}

// removeOrphans takes the orphans out of the vault, where they can be restored for
// 30 days, and returns their names.
func (s *Syncer) removeOrphans(ctx context.Context) (removed []string) {
	if s.store == nil || s.opt.Key.IsZero() {
		return nil
	}
	ctx, cancel := s.writing(ctx)
	defer cancel()
	_, err := vault.Update(ctx, s.store.dir, s.opt.Key, s.scope(), func(c *vault.Contents) error {
		removed = c.DeleteOrphans(s.opt.Orphans == AllOrphans, time.Now())
		return nil
	})
	s.saidOnce(ctx, err)
	return removed
}

// storeGraph brings the knowledge graph up to the current set.
func (s *Syncer) storeGraph(ctx context.Context) {
	if s.store == nil {
		return
	}
	ctx, cancel := s.writing(ctx)
	defer cancel()
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	var projects []graph.Project
	for _, project := range slices.Concat(s.projects, s.learned) {
		projects = append(projects, graph.Project{ID: project.ID, Name: project.Name, Environments: slugs(project)})
	}
	_, err = graph.Update(ctx, s.store.dir, graph.Facts{
		Scope: s.scope(), Host: host, Projects: projects, Set: s.current.Secrets, At: s.current.Pulled, Synced: s.store.synced,
	})
	s.saidOnce(ctx, err)
}

// Write writes the report to w: in format "text" one line, in "json" one object.
func (r SyncReport) Write(w io.Writer, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(r.asJSON())
	}
	parts := []string{fmt.Sprintf("%d changed", len(r.New)+len(r.Changed)), fmt.Sprintf("%d unchanged", r.Unchanged)}
	if n := len(r.Gone); n > 0 {
		parts = append(parts, fmt.Sprintf("%d gone", n))
	}
	if n := len(r.Removed); n == 1 {
		parts = append(parts, "1 orphan removed")
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("%d orphans removed", n))
	}
	line := "pulled " + strings.Join(parts, ", ")
	if r.Kept != "" {
		line += "; orphans kept: " + r.Kept
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", r.place(), line)
	return err
}

func (r SyncReport) place() string {
	names := make([]string, len(r.Places))
	for i, place := range r.Places {
		names[i] = place.String()
	}
	return strings.Join(names, ", ")
}

func (r SyncReport) asJSON() any {
	places := make([]placeJSON, len(r.Places))
	for i, place := range r.Places {
		places[i] = placeJSON(place)
	}
	list := func(names []string) []string { return append([]string{}, names...) } // [] rather than null
	return struct {
		Places    []placeJSON `json:"places"`
		Secrets   int         `json:"secrets"`
		New       []string    `json:"new"`
		Changed   []string    `json:"changed"`
		Gone      []string    `json:"gone"`
		Removed   []string    `json:"removed"`
		Unchanged int         `json:"unchanged"`
		Kept      string      `json:"orphans_kept,omitempty"`
	}{places, r.Secrets, list(r.New), list(r.Changed), list(r.Gone), list(r.Removed), r.Unchanged, r.Kept}
}

// Each returns a Syncer for every project that has the wanted environment, in the
// order of their ids, when the options leave the project open; else one for the
// options as they are. Each keeps a scope of its own, so that one that fails does
// not stop the others. With watch set it asks for the projects until the server is
// in reach.
func Each(ctx context.Context, opt Options, watch bool) ([]*Syncer, error) {
	first := New(opt)
	if settled(opt.Known.Places, false) || opt.AllProjects || opt.Client == nil || len(opt.Known.Places) == 0 {
		return []*Syncer{first}, nil
	}
	projects, err := first.findProjects(ctx, watch)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(projects, func(a, b infisical.Project) int { return strings.Compare(a.ID, b.ID) })
	var all []*Syncer
	for _, project := range projects {
		places, err := first.inAll(opt.Known.Places, []infisical.Project{project})
		if err != nil {
			continue // said by inAll: it has no such environment
		}
		one := opt
		one.Known.Places = places
		keeper := New(one)
		keeper.projects = []infisical.Project{project}
		all = append(all, keeper)
	}
	if len(all) == 0 {
		_, err := first.inAll(opt.Known.Places, projects)
		return nil, err
	}
	return all, nil
}

// SyncAll syncs each, with a report for each that succeeded, and when watch is set
// stays to do it again at each interval, until ctx ends. One that fails does not
// stop the others: their errors are joined, or in the watch said, since the next
// poll may go well. Only when all fail, and none because its server is out of
// reach, there is nothing to watch.
func SyncAll(ctx context.Context, keepers []*Syncer, watch bool, report func(SyncReport) error) error {
	var failed error
	hope := false
	for _, s := range keepers {
		s.opt.Metrics.Expect(len(keepers))
		r, err := s.Sync(ctx)
		if ctx.Err() != nil {
			return errors.Join(failed, err)
		}
		if err == nil {
			hope = true
			failed = errors.Join(failed, report(r))
			continue
		}
		if len(keepers) > 1 {
			err = source.Errorf(source.CodeOf(err), "%s: %w", s.name(), err)
		}
		failed = errors.Join(failed, err)
		if code := source.CodeOf(err); watch && (len(keepers) > 1 || source.CauseOf(code) == source.CauseOutOfReach) {
			hope = hope || source.CauseOf(code) == source.CauseOutOfReach
			s.opt.Log.Warn(fmt.Sprintf("the first pull failed and is retried: %v", err), "code", string(code))
		}
	}
	if !watch || !hope {
		return failed
	}
	var running sync.WaitGroup
	for _, s := range keepers {
		running.Go(func() {
			registration := s.register()
			defer registration.Remove()
			for snapshot := range s.Watch(ctx) {
				registration.Note(func(e *state.Entry) { e.Folder = s.Folder() })
				s.opt.Log.Info(fmt.Sprintf("%s: pulled a change, %d secrets", s.name(), snapshot.Secrets.Len()))
			}
		})
	}
	running.Wait()
	return nil
}

// register puts a watch without a child into the register, for ps and status.
func (s *Syncer) register() *state.Registration {
	if s.store == nil {
		return nil
	}
	entry := state.Entry{Folder: s.Folder(), Command: "sync", Syncs: true, Interval: s.opt.Interval}
	if settled(s.opt.Known.Places, s.opt.AllProjects) { // known before the server answers
		entry.Folder = s.opt.Known.Folder()
	}
	return s.Register(entry)
}

// name is how the scope is called in messages.
func (s *Syncer) name() string {
	if len(s.projects) == 1 {
		return fmt.Sprintf("project %s (%s)", s.projects[0].Name, s.projects[0].ID)
	}
	places := s.places
	if places == nil {
		places = s.opt.Known.Places
	}
	return SyncReport{Places: places}.place()
}
