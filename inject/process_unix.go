//go:build unix

package inject

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// reap waits for every child each time the kernel says that one changed.
func (r *Reaper) reap(ready chan<- struct{}) {
	// One is enough: a signal that comes while another waits says the same.
	news := make(chan os.Signal, 1)
	signal.Notify(news, syscall.SIGCHLD)
	defer signal.Stop(news)
	close(ready)
	for {
		r.collect()
		select {
		case <-news:
		case <-r.quit:
			return
		}
	}
}

// collect takes the changes of all children that the kernel has to report.
func (r *Reaper) collect() {
	// The lock is held so that a process that ends at once is found in the map:
	// start holds it until the process is there.
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG|syscall.WUNTRACED|syscall.WCONTINUED, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return // none has changed, or there are none
		}
		p, ours := r.processes[pid]
		switch {
		case (ws.Stopped() || ws.Continued()) && ours:
			p.mu.Lock()
			if p.asleep = ws.Stopped(); p.asleep {
				p.stopped = ws.StopSignal()
			}
			p.mu.Unlock()
		case ws.Exited() || ws.Signaled():
			delete(r.processes, pid)
			if ours {
				p.end(statusOf(ws))
			} else {
				r.orphans++
			}
		}
		r.notify()
	}
}

func statusOf(ws syscall.WaitStatus) Status {
	if ws.Signaled() {
		s := signalStatus(ws.Signal())
		s.Core = ws.CoreDump()
		return s
	}
	return exitStatus(ws.ExitStatus())
}

// runStarts makes one thread the parent of all processes. The kernel sends a
// process its parent-death signal when the thread that started it ends, so this
// one lasts as long as the Reaper.
func (r *Reaper) runStarts() {
	runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
	for {
		select {
		case start := <-r.starts:
			start()
		case <-r.quit:
			return
		}
	}
}

// start starts a process. It fails with an *Error.
func (r *Reaper) start(l launch) (*process, error) {
	file, err := l.command.resolve(l.env)
	if err != nil {
		return nil, err
	}
	argv := l.command.Argv
	attr := &syscall.ProcAttr{Env: l.env.Environ(), Files: l.files, Sys: processAttr(l)}
	var through *stage
	if l.staged {
		if through, err = newStage(&file, &argv, attr); err != nil {
			return nil, l.command.execError(errnoOf(err), true)
		}
	}
	p, err := r.fork(file, argv, attr)
	var errno syscall.Errno
	if err != nil {
		errno = errnoOf(err)
	}
	if through != nil {
		if failed := through.await(); failed != 0 {
			errno = failed
			<-p.done
		}
	}
	if errno != 0 {
		return nil, l.command.execError(errno, true)
	}
	return p, nil
}

// fork has the one thread for it make a process, and notes it.
func (r *Reaper) fork(file string, argv []string, attr *syscall.ProcAttr) (p *process, err error) {
	made := make(chan struct{})
	r.starts <- func() {
		defer close(made)
		r.mu.Lock()
		defer r.mu.Unlock()
		var pid int
		if pid, err = syscall.ForkExec(file, argv, attr); err == nil {
			p = newProcess(pid)
			r.processes[pid] = p
		}
	}
	<-made
	return p, err
}
