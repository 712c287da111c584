package inject

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A listener is a socket that the children inherit.
type listener struct {
	file *os.File
	fd   uintptr // of file
	name string  // for LISTEN_FDNAMES
	path string  // of a unix socket, to be removed at the end; empty: none
}

// openListener opens "tcp:HOST:PORT" or "unix:PATH".
func openListener(spec string) (*listener, error) {
	network, address, _ := strings.Cut(spec, ":")
	if network != "tcp" && network != "unix" || address == "" {
		return nil, errorf(CodeListen, "listening on %q: it is neither tcp:HOST:PORT nor unix:PATH", spec)
	}
	socket, err := net.Listen(network, address)
	if network == "unix" && errors.Is(err, syscall.EADDRINUSE) && abandoned(address) {
		if err = os.Remove(address); err == nil {
			socket, err = net.Listen(network, address)
		}
	}
	if err != nil {
		return nil, &Error{Code: CodeListen, Text: fmt.Sprintf("listening on %q: %v", spec, reason(err)), Err: err}
	}
	defer socket.Close()
	l := &listener{name: socketName(socket.Addr())}
	switch socket := socket.(type) {
	case *net.TCPListener:
		l.file, err = socket.File()
	case *net.UnixListener:
		socket.SetUnlinkOnClose(false) // the copy goes on
		l.path = address
		l.file, err = socket.File()
	}
	if err != nil {
		return nil, &Error{Code: CodeListen, Text: fmt.Sprintf("listening on %q: %v", spec, reason(err)), Err: err}
	}
	// This makes the socket block, as is usual for an inherited one. It is done but
	// once: a child may have changed that, for all who share the socket.
	l.fd = l.file.Fd()
	return l, nil
}

// abandoned tells whether nobody listens on the unix socket any more.
func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// reason is the innermost cause: the rest of it repeats the address.
func reason(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// socketName makes a name without the ":" that separates names.
func socketName(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return "tcp-" + strconv.Itoa(tcp.Port)
	}
	return strings.ReplaceAll(filepath.Base(addr.String()), ":", "-")
}

func (l *listener) close() {
	l.file.Close()
	if l.path != "" {
		_ = os.Remove(l.path)
	}
}

// listen opens the Supervisor's sockets; unlisten closes them.
func (r *supervision) listen() error {
	for _, spec := range r.Listen {
		l, err := openListener(spec)
		if err != nil {
			r.unlisten()
			return err
		}
		r.listeners = append(r.listeners, l)
	}
	return nil
}

func (r *supervision) unlisten() {
	for _, l := range r.listeners {
		l.close()
	}
}

// inherited returns the child's descriptors, and the variables by which it finds
// those from 3 on, as sd_listen_fds(3) tells. LISTEN_PID is filled in by Stage.
func (r *supervision) inherited() ([]uintptr, []Var) {
	files := stdio()
	if len(r.listeners) == 0 {
		return files, nil
	}
	var names []string
	for _, l := range r.listeners {
		files = append(files, l.fd)
		names = append(names, l.name)
	}
	return files, []Var{
		NewVar("LISTEN_FDS", strconv.Itoa(len(names))),
		NewVar("LISTEN_FDNAMES", strings.Join(names, ":")),
		NewVar("LISTEN_PID", ""),
	}
}
