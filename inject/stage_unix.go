//go:build unix

package inject

import (
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// stageName is what a process started by Reaper.start is called between fork and
// the child's own program, when something has to be done in there.
const stageName = "infisync: starting"

// Stage must be called first thing in main. In nearly all processes it returns at
// once. In one that this package has started to become a child with inherited
// sockets it does not: it puts its own process id into LISTEN_PID, which nobody
// else can know, and executes the child's program.
//
// Its arguments are the number of a descriptor to which it writes the errno when
// that fails, the program's file, and the child's own arguments.
func Stage() {
	if len(os.Args) < 4 || os.Args[0] != stageName {
		return
	}
	report, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(exitOwnFailure)
	}
	syscall.CloseOnExec(report)
	env := os.Environ()
	for i, entry := range env {
		if strings.HasPrefix(entry, "LISTEN_PID=") {
			env[i] = "LISTEN_PID=" + strconv.Itoa(os.Getpid())
		}
	}
	errno := errnoOf(syscall.Exec(os.Args[2], os.Args[3:], env))
	_, _ = syscall.Write(report, binary.NativeEndian.AppendUint32(nil, uint32(errno)))
	os.Exit(exitNotExecutable)
}

// A stage is a start that goes through Stage.
type stage struct{ report, end *os.File }

// newStage changes what is to be started into this very program, which Stage
// takes over there.
func newStage(file *string, argv *[]string, attr *syscall.ProcAttr) (*stage, error) {
	self, err := selfPath()
	if err != nil {
		return nil, err
	}
	report, end, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	*argv = append([]string{stageName, strconv.Itoa(len(attr.Files)), *file}, *argv...)
	*file = self
	attr.Files = append(slices.Clone(attr.Files), end.Fd())
	return &stage{report, end}, nil
}

// await waits until the child's own program was executed, and returns the errno
// when it was not.
func (s *stage) await() syscall.Errno {
	s.end.Close() // the stage's copy closes when it executes the program
	defer s.report.Close()
	text, err := io.ReadAll(s.report)
	if err != nil || len(text) != 4 {
		return 0 // what has become of it, its status tells
	}
	return syscall.Errno(binary.NativeEndian.Uint32(text))
}
