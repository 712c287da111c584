package syncer

import (
	"context"
	"fmt"
	"strings"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/state"
)

func needsServer(command string) error {
	return source.Errorf(source.CodeNothingConfigured, "no server is configured: %s needs one", command)
}

// begin logs in and settles the one place that a command writes to.
func (s *Syncer) begin(ctx context.Context, command string) (*infisical.Session, source.Place, error) {
	switch {
	case s.opt.Client == nil:
		return nil, source.Place{}, needsServer(command)
	case s.opt.AllProjects:
		return nil, source.Place{}, source.Errorf(source.CodeUsage, "%s works on one project, not on all", command)
	case len(s.opt.Known.Places) > 1:
		return nil, source.Place{}, source.Errorf(source.CodeUsage, "%s works on one place, got %d", command, len(s.opt.Known.Places))
	}
	if err := s.openStore(); err != nil {
		return nil, source.Place{}, err
	}
	session, err := s.login(ctx, s.opt.Client)
	if err != nil {
		return nil, source.Place{}, err
	}
	if err := s.resolve(ctx, session); err != nil {
		return nil, source.Place{}, err
	}
	return session, s.places[0], nil
}

// A holding is what a place holds ahead of a write: as it was written, with
// references as they are, and without what it imports.
type holding struct {
	set     source.Set
	blind   bool // the identity may not read the values: set has names only
	missing bool // the server knows no such folder
}

// readBefore reads a place ahead of a write. A missing folder is no error.
func (s *Syncer) readBefore(ctx context.Context, session *infisical.Session, place source.Place) (holding, error) {
	var held holding
	err := held.read(ctx, session, place)
	if code := source.CodeOf(err); code == source.CodeAccessDenied || code == source.CodeValueMasked {
		held.blind = true
		if held.read(ctx, session, place) != nil {
			return holding{}, err
		}
		s.opt.Log.Warn(fmt.Sprintf("the identity may not read the values of %s", place))
		return held, nil
	}
	if source.CodeOf(err) == source.CodePlaceNotFound {
		// The same answer stands for a missing environment, which nobody makes here.
		if explained := s.explainMissing(ctx, session, place, err); explained != err {
			return holding{}, explained
		}
		return holding{missing: true}, nil
	}
	return held, err
}

func (h *holding) read(ctx context.Context, session *infisical.Session, place source.Place) error {
	answer, err := session.List(ctx, infisical.Query{Place: place, NamesOnly: h.blind})
	if err != nil {
		return err
	}
	h.set = source.Merge([]source.Listing{answer.Listing})
	return nil
}

// countPushed notes in the state file how many secrets were written.
func (s *Syncer) countPushed(n int) {
	if s.store == nil || n == 0 {
		return
	}
	// Not the command's context: what was written is counted also when the user
	// ended the command.
	ctx, cancel := context.WithTimeout(context.Background(), s.opt.Policy.LockWait)
	defer cancel()
	s.writeState(ctx, func(f *state.File) {
		f.PushCount += n
		if f.ProjectIDs == nil {
			f.ProjectIDs, f.Environment = s.scope().Projects(), s.scope().Environment()
		}
	})
}

// isUpperCaseRule tells whether a project refuses names with lower-case letters.
func isUpperCaseRule(err error) bool {
	return strings.Contains(strings.ToUpper(reason(err)), "MUST BE IN UPPERCASE")
}
