package inject

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// Signals catches the signals of this process, from when [CatchSignals] or
// [Signals.CatchStops] is called, and keeps them in their order for [Supervisor.Run]
// to forward. None is lost in between. Until Run takes over, a stop signal (HUP, INT,
// QUIT, TERM) ends [Signals.Context], and a second one ends the process at once; that
// also makes it end as PID 1, for which the kernel has no default action.
// The zero Signals catches nothing yet. [Signals.CatchStops] and [Signals.Release] are for
// the one goroutine that has made it; everything else is safe for concurrent use.
type Signals struct {
	incoming chan os.Signal    // nil: only stops are caught
	stops    [4]chan os.Signal // one for each of stopSignals, with room for one; nil: not caught
	quit     chan struct{}     // closed by Release; nil: nothing is caught
	done     chan struct{}     // closed when collect has ended
	wake     chan struct{}     // capacity 1: queue has something

	mu      sync.Mutex
	queue   []syscall.Signal // caught and not yet taken
	taken   bool             // Run has taken over
	stopped syscall.Signal   // the first stop signal before that; 0: none
	cancel  []context.CancelCauseFunc
}

// CatchSignals starts to catch every signal that can be caught and forwarded.
// Call it once, as early as possible.
func CatchSignals() *Signals {
	s := &Signals{incoming: make(chan os.Signal, manySignals), wake: make(chan struct{}, 1)}
	s.catch(catchable())
	return s
}

// CatchStops starts to catch stop signals only, for a process that will become the
// command by [Exec] and has none to forward to. Call it before what may take long; as long
// as nothing waits, that they end the process is what they should do, and the runtime
// takes its time for each signal that is caught and released again. Until then QUIT makes
// the runtime list its goroutines, with exit status 2, as in any Go program.
func (s *Signals) CatchStops() {
	if s.quit != nil {
		return // they are
	}
	s.catch(slices.DeleteFunc(catchable(), func(sig os.Signal) bool { return !isStop(sig.(syscall.Signal)) }))
}

// stopSignals are the signals that ask a program to end.
var stopSignals = [4]syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}

// isStop tells them.
func isStop(sig syscall.Signal) bool { return slices.Contains(stopSignals[:], sig) }

// manySignals is how many signals may wait for collect to be scheduled. os/signal
// drops what finds no room.
const manySignals = 4096

func (s *Signals) catch(which []os.Signal) {
	s.quit, s.done = make(chan struct{}), make(chan struct{})
	for _, sig := range which {
		at := slices.Index(stopSignals[:], sig.(syscall.Signal))
		if at < 0 {
			signal.Notify(s.incoming, sig)
			continue
		}
		// Not even a flood of others may drop one of these. Room for one is enough:
		// the same once more while it waits is one, as with the kernel.
		s.stops[at] = make(chan os.Signal, 1)
		signal.Notify(s.stops[at], sig)
	}
	go s.collect()
}

// Release ends the catching: signals have their default effect again. Each one that
// came before it was caught: a stop among them is what Stopped returns from then on.
func (s *Signals) Release() {
	if s.quit == nil {
		return
	}
	for _, c := range append(s.stops[:], s.incoming) {
		if c != nil {
			signal.Stop(c)
		}
	}
	close(s.quit)
	<-s.done
}

// Context returns a context that ends with parent, or with an *[Error] as its
// cause (code "stopped", exit status 128+n) when a stop signal comes before Run
// takes over. It is for what happens before there is a child.
func (s *Signals) Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = append(s.cancel, cancel)
	if s.stopped != 0 {
		cancel(stoppedBy(s.stopped))
	}
	return ctx, func() { cancel(nil) }
}

// Stopped returns what Context's cause is after a stop signal, and nil when none
// came before Run took over.
func (s *Signals) Stopped() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped == 0 {
		return nil
	}
	return stoppedBy(s.stopped)
}

func stoppedBy(sig syscall.Signal) *Error {
	return &Error{
		Code: CodeStopped,
		Text: fmt.Sprintf("stopped by %s before the command was started", signalName(sig)),
		Exit: signalStatus(sig).Code,
	}
}

func (s *Signals) collect() {
	defer close(s.done)
	for {
		select {
		case sig := <-s.incoming:
			s.add(sig.(syscall.Signal))
		case <-s.stops[0]:
			s.addStops(0)
		case <-s.stops[1]:
			s.addStops(1)
		case <-s.stops[2]:
			s.addStops(2)
		case <-s.stops[3]:
			s.addStops(3)
		case <-s.quit:
			s.addStops(-1)
			return
		}
	}
}

// addStops adds one of stopSignals, that was taken, and what else waits: first the others, which may
// have come before it, and the stops in the order in which the kernel would give
// them, so that a HUP is not behind the TERM after it.
func (s *Signals) addStops(taken int) {
	for len(s.incoming) > 0 {
		s.add((<-s.incoming).(syscall.Signal))
	}
	for at, sig := range stopSignals {
		if at != taken {
			select {
			case <-s.stops[at]:
			default:
				continue
			}
		}
		s.add(sig)
	}
}

func (s *Signals) add(sig syscall.Signal) {
	if !forwardable(sig) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taken {
		if suspends(sig) {
			suspendSelf() // there is no child yet that could be
			return
		}
		if isStop(sig) {
			s.stopEarly(sig)
			return
		}
	}
	s.queue = append(s.queue, sig)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Signals) stopEarly(sig syscall.Signal) {
	if s.stopped != 0 {
		os.Exit(signalStatus(sig).Code)
	}
	s.stopped = sig
	for _, cancel := range s.cancel {
		cancel(stoppedBy(sig))
	}
}

// takeOver says that from now on signals are for a child. It fails when a stop
// signal came first.
func (s *Signals) takeOver() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != 0 {
		return stoppedBy(s.stopped)
	}
	s.taken = true
	return nil
}

// take returns what was caught since the last call, in its order.
func (s *Signals) take() []syscall.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue
}
