package inject

import (
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	maxArgStrlen = 128 << 10           // MAX_ARG_STRLEN, bytes: 32 pages, the NUL included
	argMax       = 128 << 10           // ARG_MAX, bytes: the kernel grants this much whatever the stack's limit
	maxArgsBytes = 6 << 20             // bytes: three quarters of the default stack, granted at most
	pointerSize  = strconv.IntSize / 8 // bytes on the stack for each string, besides the string
)

// maxEntrySize is the limit for one entry in bytes, its NUL included.
func maxEntrySize() int { return maxArgStrlen }

// maxTotalSize is the limit for all arguments and entries, pointers included, as
// the kernel's bprm_stack_limits computes it: a quarter of the stack's soft
// limit, between 128 KiB and 6 MiB.
func maxTotalSize() int {
	var stack unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stack); err != nil {
		return maxArgsBytes
	}
	return int(max(argMax, min(maxArgsBytes, stack.Cur/4)))
}
