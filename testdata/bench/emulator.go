//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
)

// serveArgument has this program serve the emulated API, so that what the server
// costs is not counted with anything that is measured.
const serveArgument = "serve"

// environment is the only one that is used.
const environment = "dev"

// An Emulator is what the serving process offers to the measuring one, over its
// standard input and output.
type Emulator struct {
	ctx    context.Context // ends what waits
	server *infisicaltest.Server
	listed atomic.Int64
}

// A Folder is secrets to set at once.
type Folder struct {
	Path    string
	Secrets map[string]string
}

// Seen is what the server saw since the last Reset.
type Seen struct {
	Requests, Unchanged, Connections int
	Listed                           int64 // when it was about to send the newest 200 to a GET, in ns of CLOCK_MONOTONIC
}

// serve ends with its standard input. The rate limits are off.
func serve() {
	ctx, cancel := context.WithCancel(context.Background())
	e := &Emulator{ctx: ctx}
	server, err := infisicaltest.Start(infisicaltest.Options{Log: e})
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
	e.server = server
	link := rpc.NewServer()
	if err := link.RegisterName("Emulator", e); err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
	link.ServeConn(pipes{input{os.Stdin, cancel}, os.Stdout})
	server.Close()
}

// Write gets a line of the server's log for each answer, before it is sent.
func (e *Emulator) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("200 GET ")) {
		e.listed.Store(monotonic())
	}
	return len(line), nil
}

// Variables are what infisync needs in its environment, as NAME=VALUE.
func (e *Emulator) Variables(_ struct{}, variables *[]string) error {
	id, secret := e.server.Credentials()
	*variables = []string{
		"INFISICAL_URL=" + e.server.URL(), "INFISICAL_CLIENT_ID=" + id, "INFISICAL_CLIENT_SECRET=" + secret,
		"INFISICAL_PROJECT_ID=" + e.server.Project(), "INFISICAL_ENVIRONMENT=" + environment,
	}
	return nil
}

// Set changes or makes secrets.
func (e *Emulator) Set(folder Folder, _ *struct{}) error {
	return e.server.SetAll(source.Place{Environment: environment, Path: folder.Path}, folder.Secrets)
}

// Reset sets the counts to 0.
func (e *Emulator) Reset(struct{}, *struct{}) error {
	e.server.ResetCounts()
	return nil
}

// Seen reads the counts.
func (e *Emulator) Seen(_ struct{}, seen *Seen) error {
	*seen = Seen{
		Requests: e.server.Count(infisicaltest.KindAny), Unchanged: e.server.Count(infisicaltest.KindList304),
		Connections: e.server.Connections(), Listed: e.listed.Load(),
	}
	return nil
}

// Unchanged waits until so many listings were answered with 304 since the last Reset.
func (e *Emulator) Unchanged(n int, _ *struct{}) error {
	return e.server.Wait(e.ctx, infisicaltest.KindList304, n)
}

// An emulator is the serving process, seen from the measuring one.
type emulator struct {
	cmd       *exec.Cmd
	link      *rpc.Client
	variables []string
}

func startEmulator(ctx context.Context) (*emulator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &emulator{cmd: exec.CommandContext(ctx, self, serveArgument)}
	e.cmd.Stderr = os.Stderr
	in, err := e.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	e.link = rpc.NewClient(pipes{out, in})
	if err := e.link.Call("Emulator.Variables", struct{}{}, &e.variables); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

func (e *emulator) stop() {
	e.link.Close()
	e.cmd.Wait()
}

// fill makes n secrets of size bytes in a folder.
func (e *emulator) fill(path string, n, size int) error {
	secrets := make(map[string]string, n)
	for i := range n {
		secrets[fmt.Sprintf("SECRET_%05d", i)] = strings.Repeat(string(rune('a'+i%26)), size)
	}
	return e.set(path, secrets)
}

func (e *emulator) set(path string, secrets map[string]string) error {
	return e.link.Call("Emulator.Set", Folder{path, secrets}, new(struct{}))
}

func (e *emulator) reset() error { return e.link.Call("Emulator.Reset", struct{}{}, new(struct{})) }

func (e *emulator) seen() (seen Seen, err error) {
	err = e.link.Call("Emulator.Seen", struct{}{}, &seen)
	return seen, err
}

// unchanged waits until so many polls since the last reset found nothing new.
func (e *emulator) unchanged(ctx context.Context, n int) error {
	call := e.link.Go("Emulator.Unchanged", n, new(struct{}), nil)
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pipes are two ends that make one connection.
type pipes struct {
	io.ReadCloser
	io.WriteCloser
}

func (p pipes) Close() error { return errors.Join(p.ReadCloser.Close(), p.WriteCloser.Close()) }

// input calls end at its end, for whom a connection waits before it closes.
type input struct {
	io.ReadCloser
	end func()
}

func (in input) Read(p []byte) (int, error) {
	n, err := in.ReadCloser.Read(p)
	if err != nil {
		in.end()
	}
	return n, err
}

// monotonic is CLOCK_MONOTONIC in nanoseconds, the same in all processes.
func monotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("bench: CLOCK_MONOTONIC: " + err.Error())
	}
	return now.Nano()
}
