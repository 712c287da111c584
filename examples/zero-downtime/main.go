// Command zero-downtime is a small HTTP server that can be replaced under load
// without a failed request. It needs nothing but the standard library:
//
//   - it serves on the socket that it inherits, as sd_listen_fds(3) says;
//   - it tells when it is ready, as sd_notify(3) says;
//   - on TERM it takes no new connection, answers what was asked on the ones it
//     has, and ends when they are closed.
//
// Without an inherited socket it listens on 127.0.0.1:8080, so that it also runs
// by itself. Each answer tells a hash of TOKEN, the secret that it was started
// with, and its process id.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "zero-downtime:", err)
		os.Exit(1)
	}
}

func run() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	socket, err := listen()
	if err != nil {
		return err
	}
	version := fmt.Sprintf("%x", sha256.Sum256([]byte(os.Getenv("TOKEN"))))[:12]
	s := newServer(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from %d\n", version, os.Getpid())
	})
	failed := make(chan error, 1)
	go func() { failed <- s.serve(socket) }()
	fmt.Printf("zero-downtime: pid %d serves %s on %s\n", os.Getpid(), version, socket.Addr())
	if err := notify("READY=1"); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	s.drain(socket, failed)
	fmt.Printf("zero-downtime: pid %d has answered everything\n", os.Getpid())
	return nil
}

// listen returns the socket that this process inherits, or opens one.
func listen() (net.Listener, error) {
	const firstInherited = 3 // descriptor, by convention
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return net.Listen("tcp", "127.0.0.1:8080")
	}
	if n, err := strconv.Atoi(os.Getenv("LISTEN_FDS")); err != nil || n < 1 {
		return nil, errors.New("LISTEN_PID is this process's, but LISTEN_FDS promises no socket")
	}
	file := os.NewFile(firstInherited, "inherited socket")
	defer file.Close() // FileListener has made a copy
	return net.FileListener(file)
}

// notify tells whoever started this process, if that wants to be told.
func notify(message string) error {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", address) // a leading @ makes it an abstract one
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(message))
	return err
}

// A server counts its connections, so that it can wait for the last of them.
type server struct {
	http *http.Server
	open sync.WaitGroup
}

func newServer(handler http.HandlerFunc) *server {
	s := new(server)
	s.http = &http.Server{Handler: handler, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Done()
		}
	}}
	return s
}

// serve serves until the socket is closed.
func (s *server) serve(socket net.Listener) error {
	err := s.http.Serve(socket)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// drain stops taking connections and waits until those there are have been
// answered and closed. It is not Server.Shutdown, which hangs up on a connection
// that was taken but has not sent its request yet.
func (s *server) drain(socket net.Listener, served <-chan error) {
	socket.Close()
	<-served // no connection is added after this
	s.http.SetKeepAlivesEnabled(false)
	s.open.Wait()
}
