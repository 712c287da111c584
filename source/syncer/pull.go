package syncer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/state"
)

// A pull is what the places answered in one cycle, all of them.
type pull struct {
	began     time.Time
	answers   []infisical.Answer // one for each place, in their order
	unchanged bool               // every place answered that nothing changed
}

// set merges the answers.
func (p pull) set() source.Set {
	listings := make([]source.Listing, len(p.answers))
	for i, a := range p.answers {
		listings[i] = a.Listing
	}
	return source.Merge(listings)
}

// pull logs in and lists every place. With an error nothing of it may be used. The
// connection is closed: one kept until the next poll may be dead by then, which nobody
// tells, and would not notice a new address, nor a new client certificate.
func (s *Syncer) pull(ctx context.Context, client *infisical.Client) (pull, error) {
	defer client.Close()
	session, err := s.login(ctx, client)
	if err != nil {
		return pull{}, err
	}
	if err := s.resolve(ctx, session); err != nil {
		return pull{}, err
	}
	return s.list(ctx, session)
}

// login gets a fresh token, or with ReuseToken the last one while it lives. It
// does not try what was refused twice just now: a third time locks the identity
// for everyone who uses it.
func (s *Syncer) login(ctx context.Context, client *infisical.Client) (*infisical.Session, error) {
	if s.opt.ReuseToken && s.session != nil && alive(s.session) {
		return s.session, nil
	}
	id, secret, err := s.opt.Credential()
	if err != nil {
		return nil, err
	}
	remembered := ""
	if s.store != nil && id != "" {
		remembered = s.store.dir
	}
	attempt, err := state.BeginLogin(ctx, remembered, id, secret)
	if err != nil {
		return nil, err
	}
	session, err := client.Login(ctx)
	result := state.LoginAccepted
	if err != nil {
		result = state.LoginUnknown
		if source.CodeOf(err) == source.CodeLoginRefused {
			result = state.LoginRefused
		}
	}
	s.saidOnce(ctx, attempt.End(result))
	if err != nil {
		return nil, err
	}
	s.session, s.loggedIn = session, secret
	return session, nil
}

// tokenMargin is how long before its end a token is no longer reused.
const tokenMargin = 10 * time.Second

// alive tells whether the session's token is good for one more cycle; one of
// unknown end is, until the server refuses it.
func alive(session *infisical.Session) bool {
	expiry := session.Expiry()
	return expiry.IsZero() || time.Until(expiry) > tokenMargin
}

func (s *Syncer) list(ctx context.Context, session *infisical.Session) (pull, error) {
	p := pull{began: time.Now(), unchanged: true}
	for _, place := range s.places {
		known := s.known[place]
		answer, err := session.List(ctx, infisical.Query{
			Place:     place,
			Recursive: s.opt.Known.Recursive,
			Imports:   s.opt.Known.Imports,
			Expand:    s.opt.Known.Expand,
			ETag:      known.ETag,
		})
		if err != nil {
			return pull{}, s.explainMissing(ctx, session, place, err)
		}
		if answer.NotModified {
			answer = known
		} else {
			p.unchanged = false
		}
		if answer.Listing.Empty() && known.Listing.Empty() && !s.opt.AllowEmpty {
			err := source.Errorf(source.CodeNothingFound, "%s lists nothing", place)
			return pull{}, s.explainMissing(ctx, session, place, err)
		}
		p.answers = append(p.answers, answer)
	}
	return p, nil
}

// accept makes a pull the current state.
func (s *Syncer) accept(p pull, set source.Set) {
	for i, place := range s.places {
		s.known[place] = p.answers[i]
	}
	s.pending = nil
	s.sayClashes(set)
	s.current.From, s.current.Secrets, s.current.Pulled = FromServer, set, p.began.UTC()
}

// sayClashes says which names are set more than once and who wins, each once. With
// Recursive it may well be a mistake; that an order or an import decides, the user
// wrote, and hears at level debug.
func (s *Syncer) sayClashes(set source.Set) {
	level := slog.LevelDebug
	if s.opt.Known.Recursive {
		level = slog.LevelInfo
	}
	for secret := range set.All() {
		if len(secret.Hides) == 0 {
			continue
		}
		hidden := make([]string, len(secret.Hides))
		for i, place := range secret.Hides {
			hidden[i] = place.String()
		}
		text := fmt.Sprintf("%q of %s hides what is set in %s", secret.Name, secret.Place, source.Enumerate(hidden, ", "))
		if s.clashes[secret.Name] != text {
			s.clashes[secret.Name] = text
			s.opt.Log.Log(context.Background(), level, text)
		}
	}
}

// confirmFirst asks a second time when a first pull lost names that the vault
// holds: two answers that agree are believed.
func (s *Syncer) confirmFirst(ctx context.Context, p pull, before source.Set) (pull, error) {
	lost := before.Lost(p.set())
	if len(lost) == 0 {
		return p, nil
	}
	again, err := s.list(ctx, s.session)
	if err != nil {
		return pull{}, err
	}
	if lostAgain := before.Lost(again.set()); len(lostAgain) > 0 && !slices.Equal(lost, lostAgain) {
		return pull{}, source.Errorf(source.CodeServerError, "two listings in a row disagree about which secrets there are")
	} else if len(lostAgain) > 0 {
		s.opt.Log.Warn("no longer on the server: " + source.Enumerate(lostAgain, ", "))
	}
	return again, nil
}

// keepVanished returns set with what a whole place or import gave before and gives
// no more, since servers answer an unknown path, and a lost permission, with
// nothing at all.
func (s *Syncer) keepVanished(p pull, set source.Set) source.Set {
	if s.opt.AllowEmpty {
		return set
	}
	gives := make(map[origin]bool)
	for i, answer := range p.answers {
		gives[origin{Place: s.places[i]}] = len(answer.Listing.Own) > 0
		for _, imported := range answer.Listing.Imports {
			if len(imported.Secrets) > 0 {
				gives[origin{imported.Place, true}] = true
			}
		}
	}
	kept := slices.Collect(set.All())
	said := make(map[origin]bool)
	for secret := range s.current.Secrets.All() {
		from := s.originOf(secret)
		if gives[from] {
			continue
		}
		if !said[from] {
			said[from] = true
			s.opt.Log.Warn(fmt.Sprintf("%s lists nothing any more: what it gave is kept (--allow-empty drops it)", from))
		}
		// An own secret that is new beats what an import used to give.
		if now, ok := set.Get(secret.Name); !ok || now.Imported || !secret.Imported {
			kept = append(kept, secret)
		}
	}
	return source.NewSet(kept...)
}

// An origin is a place asked for, or one that is imported.
type origin struct {
	source.Place
	imported bool
}

func (o origin) String() string {
	if o.imported {
		return "the import of " + o.Place.String()
	}
	return o.Place.String()
}

// originOf tells through which asked place or import a secret came.
func (s *Syncer) originOf(secret source.Secret) origin {
	if secret.Imported {
		return origin{secret.Place, true}
	}
	for _, place := range slices.Backward(s.places) {
		if within(secret.Place, place) {
			return origin{Place: place}
		}
	}
	return origin{Place: secret.Place}
}

// within tells whether p is the folder asked or, asked recursively, one below it.
func within(p, asked source.Place) bool {
	return p.Project == asked.Project && p.Environment == asked.Environment &&
		(asked.Path == "/" || p.Path == asked.Path || strings.HasPrefix(p.Path, asked.Path+"/"))
}

// failed counts a failed pull and tells whether its kind is another than the last
// one's, so that an outage is said once and not at every poll.
func (s *Syncer) failed(ctx context.Context, err error) (said bool) {
	s.failures++
	s.countError(ctx)
	code := source.CodeOf(err)
	s.opt.Metrics.PollFailed(code)
	said = code != s.kind
	s.kind = code
	if said {
		s.tell(Event{Event: EventError, Code: code, Message: err.Error()})
	}
	return said
}
