package inject

import (
	"crypto/rand"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reloading says that the service is about to change, and since when.
func reloading() []string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return []string{"RELOADING=1"}
	}
	return []string{"RELOADING=1", "MONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/int64(time.Microsecond), 10)}
}

// A notifySocket is where one child says that it is ready.
type notifySocket struct{ conn *net.UnixConn }

// newNotifySocket opens one. Its name is abstract, so that a child which has
// changed its user or root can reach it and nothing is left behind.
func newNotifySocket() (*notifySocket, error) {
	name := "@infisync-" + rand.Text()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, &Error{Code: CodeListen, Text: "opening a socket for the child's readiness: " + reason(err).Error(), Err: err}
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) // without it no message is believed
		})
	}
	if err != nil {
		conn.Close()
		return nil, &Error{Code: CodeListen, Text: "opening a socket for the child's readiness: " + reason(err).Error(), Err: err}
	}
	return &notifySocket{conn}, nil
}

// address is the value of NOTIFY_SOCKET.
func (n *notifySocket) address() string { return n.conn.LocalAddr().String() }

// await returns true when a process of that group has said READY=1, and false
// when the socket was closed. The kernel vouches for the sender.
func (n *notifySocket) await(group int) bool {
	message, control := make([]byte, 4096), make([]byte, 4096)
	for {
		size, controlSize, _, _, err := n.conn.ReadMsgUnix(message, control)
		if err != nil {
			return false
		}
		sender := senderOf(control[:controlSize])
		if sender == 0 || !isReady(string(message[:size])) {
			continue
		}
		if pgid, err := syscall.Getpgid(sender); sender == group || err == nil && pgid == group {
			return true
		}
	}
}

func isReady(message string) bool {
	for line := range strings.SplitSeq(message, "\n") {
		if line == "READY=1" {
			return true
		}
	}
	return false
}

// senderOf returns the process id in a message's credentials, 0 when there are
// none. Descriptors that came along are closed.
func senderOf(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	sender := 0
	for _, m := range messages {
		if credentials, err := unix.ParseUnixCredentials(&m); err == nil {
			sender = int(credentials.Pid)
		}
		if files, err := unix.ParseUnixRights(&m); err == nil {
			for _, fd := range files {
				unix.Close(fd)
			}
		}
	}
	return sender
}

func (n *notifySocket) close() { n.conn.Close() }
