package inject

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A span is a range of addresses, its end excluded.
type span struct {
	begin, end uintptr
	code       bool
}

// program is where the code and the constants of this program's file are; nothing
// where the system does not tell.
var program = sync.OnceValue(func() []span {
	name, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	return readOnly(maps, name)
})

// readOnly returns the ranges that maps, as proc(5) describes it, says to be of the
// file of that name and never written to.
func readOnly(maps []byte, name string) (spans []span) {
	for line := range bytes.Lines(maps) {
		// begin-end rwxp offset device inode path, which may hold blanks
		fields := strings.Fields(string(line))
		path := bytes.IndexByte(line, '/')
		if len(fields) < 6 || path < 0 || strings.TrimSuffix(string(line[path:]), "\n") != name || strings.Contains(fields[1], "w") {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		begin, err1 := strconv.ParseUint(from, 16, strconv.IntSize)
		end, err2 := strconv.ParseUint(to, 16, strconv.IntSize)
		if err1 == nil && err2 == nil {
			spans = append(spans, span{uintptr(begin), uintptr(end), strings.Contains(fields[1], "x")})
		}
	}
	return spans
}

// forgetProgram takes the constants of the program's own file, and with code its code,
// out of this process's memory. The system keeps the pages, maps them again when they
// are needed, and has them once for all processes of the program.
//
// A poll maps a good half of either again, 16 pages at a time: to forget both after
// each one would cost as much as the poll itself.
func forgetProgram(code bool) {
	for _, s := range program() {
		if code || !s.code {
			// Best effort: pages that stay are only counted.
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, s.begin, s.end-s.begin, unix.MADV_DONTNEED)
		}
	}
}
