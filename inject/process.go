package inject

import (
	"context"
	"os"
	"sync"
	"syscall"
)

// A Reaper starts processes and waits for them and for every other child of this
// process: also for orphans that were handed to it as PID 1 or as subreaper.
// While there is one, nothing else in the program may start or wait for
// processes (no os/exec), and there must be no second one: on unix it asks the
// kernel for the end of any child, and would take the statuses of others.
// A Reaper is safe for concurrent use.
type Reaper struct {
	mu        sync.Mutex
	processes map[int]*process // pid → started here and not yet ended
	orphans   int              // reaped without having been started here

	changed chan struct{} // capacity 1: a process ended, stopped or went on
	starts  chan func()   // run one after the other on a thread of their own
	quit    chan struct{} // closed by Close
	ended   sync.WaitGroup
}

// NewReaper returns a working Reaper. Close ends it.
func NewReaper() *Reaper {
	r := &Reaper{
		processes: make(map[int]*process),
		changed:   make(chan struct{}, 1),
		starts:    make(chan func()),
		quit:      make(chan struct{}),
	}
	ready := make(chan struct{})
	r.ended.Go(func() { r.reap(ready) })
	r.ended.Go(r.runStarts)
	<-ready // from here on no end of a child is missed
	return r
}

// Close ends the Reaper. Processes that it started and that still run may get
// their parent-death signal by it.
func (r *Reaper) Close() {
	close(r.quit)
	r.ended.Wait()
}

// A process is one started process. It is never started again.
type process struct {
	pid  int
	done chan struct{} // closed when it ended

	mu      sync.Mutex
	status  Status         // valid when done is closed
	stopped syscall.Signal // what stopped it since takeStop was called; 0: nothing
	asleep  bool           // it is stopped now

}

func newProcess(pid int) *process {
	return &process{pid: pid, done: make(chan struct{})}
}

func (p *process) end(status Status) {
	p.mu.Lock()
	p.status = status
	p.mu.Unlock()
	close(p.done)
}

// over returns the status and true when the process has ended.
func (p *process) over() (Status, bool) {
	select {
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.status, true
	default:
		return Status{}, false
	}
}

// takeStop returns the signal that stopped the process, once for each stop.
func (p *process) takeStop() syscall.Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	sig := p.stopped
	p.stopped = 0
	return sig
}

// suspended tells whether the process is stopped, as by Ctrl-Z.
func (p *process) suspended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asleep
}

// A launch is what a process is started with.
type launch struct {
	command  Command
	env      Env
	files    []uintptr // descriptors for 0, 1, 2, …; those not listed are inherited as they are
	ownGroup bool      // it leads a process group of its own
	staged   bool      // LISTEN_PID is to be its process id
}

// stdio are this process's own standard descriptors, by number: asking os.Stdin
// for its descriptor would change its mode for everyone who shares it.
func stdio() []uintptr { return []uintptr{0, 1, 2} }

// notify tells the one who waits on changed to look again.
func (r *Reaper) notify() {
	select {
	case r.changed <- struct{}{}:
	default: // a look is due already
	}
}

// Orphans is how many processes were reaped that this Reaper had not started.
func (r *Reaper) Orphans() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.orphans
}

// run starts the command beside the child, with input as its standard input, nil for
// an empty one, and both its outputs on the descriptor output, and waits for it. When
// ctx ends first, the command's group is killed and ctx's error is returned.
func (r *Reaper) run(ctx context.Context, cmd Command, env Env, input *os.File, output uintptr) (Status, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return Status{}, &Error{Code: CodeStartFailed, Text: err.Error(), Err: err}
	}
	defer null.Close()
	if output == discard {
		output = null.Fd()
	}
	if input == nil {
		input = null
	}
	p, err := r.start(launch{command: cmd, env: env, files: []uintptr{input.Fd(), output, output}, ownGroup: true})
	if err != nil {
		return Status{}, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		group{pid: p.pid, own: true}.signal(syscall.SIGKILL)
		<-p.done
		return Status{}, ctx.Err()
	}
	status, _ := p.over()
	return status, nil
}

// discard as run's output stands for the null device.
const discard = ^uintptr(0)
