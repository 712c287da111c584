package inject

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// hookQueue is how many messages may wait for a slow command.
	hookQueue = 64
	// hookTimeout is how long the command may take for one message.
	hookTimeout = 30 * time.Second
)

// A Hook runs a command for each message, one after the other, with the message on
// its standard input and its outputs on this process's standard error. What the
// command does has no effect on the child. It is safe for concurrent use.
type Hook struct {
	reaper   *Reaper
	command  Command
	env      Env
	log      *slog.Logger
	done     chan struct{}
	mu       sync.Mutex
	messages chan []byte // sent to and closed with mu held
	closed   bool        // guarded by mu
}

// NewHook returns a Hook that starts its command through reaper, which must live
// longer than the Hook.
func NewHook(reaper *Reaper, command Command, env Env, log *slog.Logger) *Hook {
	h := &Hook{reaper: reaper, command: command, env: env, log: log,
		done: make(chan struct{}), messages: make(chan []byte, hookQueue)}
	go h.work()
	return h
}

// Send has the command run with the message. It does not block: when too many wait
// already, the message is dropped, and that is said. After Close it is dropped, too.
func (h *Hook) Send(message []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	select {
	case h.messages <- message:
	default:
		h.log.Warn(fmt.Sprintf("the event command %s is too slow: an event is dropped", h.command))
	}
}

// Close waits until the command has run for all that was sent. What is sent while it
// waits, or later, is dropped. It is called once.
func (h *Hook) Close() {
	h.mu.Lock()
	h.closed = true
	close(h.messages)
	h.mu.Unlock()
	<-h.done
}

func (h *Hook) work() {
	defer close(h.done)
	for message := range h.messages {
		if err := h.run(message); err != nil {
			h.log.Warn(fmt.Sprintf("the event command %s: %v", h.command, err))
		}
	}
}

func (h *Hook) run(message []byte) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	go func() {
		// It fails when the command ends without reading, which it may.
		_, _ = write.Write(message)
		write.Close()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), hookTimeout)
	defer cancel()
	status, err := h.reaper.run(ctx, h.command, h.env, read, 2)
	if err == nil && status.Code != 0 {
		err = fmt.Errorf("%s", status)
	}
	return err
}
