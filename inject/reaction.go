package inject

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall"
)

// A Reaction is what a change of variables leads to whose names match.
type Reaction struct {
	Names  string // glob as in path.Match; "" and "*": every name
	Action ChangeAction
	Signal syscall.Signal // for ChangeSignal
}

// A ChangeAction is one of the ways to act on a change.
type ChangeAction string

// The actions, the strongest last: of a change of several names the strongest
// of theirs counts.
const (
	ChangeNone    ChangeAction = "none"    // the change is logged; the next child gets it
	ChangeSignal  ChangeAction = "signal"  // the child's group gets a signal; the next child gets the change
	ChangeRestart ChangeAction = "restart" // the child is replaced by one with the new environment
	ChangeExit    ChangeAction = "exit"    // the child is stopped and Run returns its status
)

var strengths = []ChangeAction{ChangeNone, ChangeSignal, ChangeRestart, ChangeExit}

// ParseOnChange reads "[NAMES=]ACTION", several separated by commas, for
// Supervisor.OnChange. ACTION is restart, exit, none or signal:NAME, NAMES a glob;
// without NAMES it is for every name.
func ParseOnChange(text string) ([]Reaction, error) {
	var reactions []Reaction
	for part := range strings.SplitSeq(text, ",") {
		reaction := Reaction{}
		action := strings.TrimSpace(part)
		if names, after, ok := strings.Cut(action, "="); ok {
			if _, err := path.Match(names, ""); err != nil || names == "" {
				return nil, fmt.Errorf("pattern %q is not a glob", names)
			}
			reaction.Names, action = names, after
		}
		if name, ok := strings.CutPrefix(action, "signal:"); ok && name != "" {
			sig, err := ParseSignal(name)
			if err != nil {
				return nil, err
			}
			reaction.Action, reaction.Signal = ChangeSignal, sig
		} else if reaction.Action = ChangeAction(action); action == "signal" || !slices.Contains(strengths, reaction.Action) {
			return nil, fmt.Errorf("%q is not restart, exit, none or signal:NAME", action)
		}
		reactions = append(reactions, reaction)
	}
	return reactions, nil
}

// reactionTo is what the changes lead to: for each name the first reaction that
// matches it decides, and one that none matches restarts. Of several signals
// each is sent once.
func reactionTo(reactions []Reaction, changes Changes) (ChangeAction, []syscall.Signal) {
	action := ChangeNone
	var signals []syscall.Signal
	for _, name := range slices.Concat(changes.Changed, changes.Added, changes.Removed) {
		reaction := Reaction{Action: ChangeRestart}
		if i := slices.IndexFunc(reactions, func(one Reaction) bool { return one.matches(name) }); i >= 0 {
			reaction = reactions[i]
		}
		if slices.Index(strengths, reaction.Action) > slices.Index(strengths, action) {
			action = reaction.Action
		}
		if reaction.Action == ChangeSignal && !slices.Contains(signals, reaction.Signal) {
			signals = append(signals, reaction.Signal)
		}
	}
	return action, signals
}

func (r Reaction) matches(name string) bool {
	if r.Names == "" || r.Names == "*" {
		return true
	}
	ok, _ := path.Match(r.Names, name) // ParseOnChange has refused what is malformed
	return ok
}
