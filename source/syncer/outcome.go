package syncer

import (
	"errors"

	"infisync/source"
	"infisync/source/infisical"
)

// An Outcome is what became of one name in a push or a deletion. In a dry run it
// is what would become of it.
type Outcome string

// The outcomes.
const (
	OutcomeCreated   Outcome = "created"
	OutcomeUpdated   Outcome = "updated"
	OutcomeUnchanged Outcome = "unchanged" // the server holds that value already
	OutcomeDeleted   Outcome = "deleted"
	OutcomeGone      Outcome = "already-gone"
	OutcomeAwaiting  Outcome = "awaiting-approval" // nothing changes before someone approves
	OutcomeRefused   Outcome = "refused"           // it is surely not written
	OutcomeUnknown   Outcome = "unknown"           // it was sent, and nobody could be asked whether it took effect
	OutcomeNotTried  Outcome = "not-tried"         // the command ended before its turn
)

// failed tells whether what the user asked for was not done.
func (o Outcome) failed() bool {
	return o == OutcomeRefused || o == OutcomeUnknown || o == OutcomeNotTried
}

// A Result is what became of one name. It holds no value.
type Result struct {
	Name       string      `json:"name"`            // as on the server
	Given      string      `json:"given,omitempty"` // as it was given, when that differs
	Outcome    Outcome     `json:"outcome"`
	Version    int         `json:"version,omitempty"`    // that the server has now, or had when it was deleted; 0: not known
	Trimmed    bool        `json:"trimmed,omitempty"`    // the server keeps the value without the white space around it
	Restorable bool        `json:"restorable,omitempty"` // the deleted value is in the vault
	Code       source.Code `json:"code,omitempty"`       // with Refused, Unknown and NotTried
	Reason     string      `json:"reason,omitempty"`     // likewise, in words
}

func (r *Result) fail(outcome Outcome, err error) {
	r.Outcome, r.Code, r.Reason = outcome, source.CodeOf(err), reason(err)
	if isUpperCaseRule(err) {
		r.Code = source.CodeNameInvalid // its remedy is another one than for a bad request
	}
}

// reason is what the server said, without what all names of a request share; for
// any other error its text.
func reason(err error) string {
	if said, ok := errors.AsType[*infisical.StatusError](err); ok {
		return said.Error()
	}
	return err.Error()
}

// count is how many of the results have one of the outcomes.
func count(results []Result, outcomes ...Outcome) int {
	n := 0
	for _, r := range results {
		for _, o := range outcomes {
			if r.Outcome == o {
				n++
			}
		}
	}
	return n
}

// incomplete is the error of a command that did not do all it was asked to, nil
// when it did. Failed says what the secrets were not, ended why it ended early: nil
// when it went through.
func incomplete(failed string, place source.Place, results []Result, ended error) error {
	var first Result
	n := 0
	for _, r := range results {
		if r.Outcome.failed() {
			if n++; n == 1 {
				first = r
			}
		}
	}
	switch {
	case ended != nil:
		return source.Errorf(source.CodeOf(ended), "%d of %d secrets %s: %w", n, len(results), failed, ended)
	case n == 0:
		return nil
	}
	which := ""
	if n > 1 {
		which = "the first of them "
	}
	return source.Errorf(first.Code, "%d of %d secrets in %q %s, %s%q: %s", n, len(results), place, failed, which, first.Name, first.Reason)
}
