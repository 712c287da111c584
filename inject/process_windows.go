package inject

import (
	"errors"
	"os"
	"syscall"
)

// reap has nothing to do: each process is waited for by its own goroutine.
func (r *Reaper) reap(ready chan<- struct{}) { close(ready) }

// runStarts has nothing to do: any thread may start a process.
func (r *Reaper) runStarts() {}

// start starts a process. It fails with an *Error.
func (r *Reaper) start(l launch) (*process, error) {
	file, err := l.command.resolve(l.env)
	if err != nil {
		return nil, err
	}
	files := make([]*os.File, len(l.files))
	for i, fd := range l.files {
		files[i] = []*os.File{os.Stdin, os.Stdout, os.Stderr}[i]
		if fd > 2 {
			files[i] = os.NewFile(fd, "")
		}
	}
	handle, err := os.StartProcess(file, l.command.Argv, &os.ProcAttr{Env: l.env.Environ(), Files: files})
	if err != nil {
		return nil, &Error{Code: CodeStartFailed, Text: "starting the command: " + errors.Unwrap(err).Error(), Err: err}
	}
	p := newProcess(handle.Pid)
	r.mu.Lock()
	r.processes[p.pid] = p
	r.mu.Unlock()
	go func() {
		state, err := handle.Wait()
		code := exitOwnFailure
		if err == nil {
			code = state.ExitCode()
		}
		r.mu.Lock()
		delete(r.processes, p.pid)
		p.end(exitStatus(code))
		r.mu.Unlock()
		r.notify()
	}()
	return p, nil
}

// becomeSubreaper does nothing: this system has no orphans in that sense.
func becomeSubreaper() {}

// A group here is one process: there are neither process groups nor signals.
type group struct {
	pid         int
	own, shared bool
}

// signal ends the process, whatever the signal: there is no gentle way.
func (g group) signal(syscall.Signal) error {
	p, err := os.FindProcess(g.pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// gone tells that nothing is left once the process has ended.
func (g group) gone() bool { return true }

// onlyDead tells whether all that is left are zombies: there are none here.
func (g group) onlyDead() bool { return true }

// continueSignal is never sent, since nothing is ever stopped here.
const continueSignal = syscall.Signal(-1)

// collect has nothing to do: each process is waited for by its own goroutine.
func (r *Reaper) collect() {}
