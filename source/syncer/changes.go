package syncer

import (
	"slices"

	"infisync/source"
	"infisync/source/infisical"
)

// An action is what is to be done to a secret on the server.
type action int

const (
	toCreate action = iota
	toUpdate
	toDelete
	actions // how many there are
)

// outcome is what the action comes to when the server did it.
func (a action) outcome() Outcome {
	return [...]Outcome{OutcomeCreated, OutcomeUpdated, OutcomeDeleted}[a]
}

// A change is one secret on its way to an outcome.
type change struct {
	action action
	item   infisical.Item // no value when it is deleted
	old    source.Value   // what the server had, with toUpdate
	result *Result
	merged bool // written in a batch, see writer.verify
}

const (
	// fewChanges are sent one by one: each answer then says what became of its name.
	fewChanges = 5

	// maxTurns is how often a job is planned anew because the server holds other
	// names than it just listed.
	maxTurns = 3

	// maxProbes is how many changes may be refused alone while none was taken; what is
	// refused then is not one name but all.
	maxProbes = 8
)

// A job is some changes that go out together.
type job struct {
	changes []*change
	turns   int  // see maxTurns
	lost    bool // it was sent before, and no answer came
}

func items(changes []*change) []infisical.Item {
	all := make([]infisical.Item, len(changes))
	for i, c := range changes {
		all[i] = c.item
	}
	return all
}

// halves divides a job of at least two changes.
func (j job) halves() []job {
	first, second := j, j
	middle := len(j.changes) / 2
	first.changes, second.changes = j.changes[:middle:middle], j.changes[middle:]
	return []job{first, second}
}

// byAction divides a job into one for each action.
func (j job) byAction() []job {
	jobs := make([]job, actions)
	for _, c := range j.changes {
		jobs[c.action].changes = append(jobs[c.action].changes, c)
	}
	for i := range jobs {
		jobs[i].turns, jobs[i].lost = j.turns, j.lost
	}
	return jobs
}

func nonEmpty(jobs []job) []job {
	return slices.DeleteFunc(jobs, func(j job) bool { return len(j.changes) == 0 })
}
