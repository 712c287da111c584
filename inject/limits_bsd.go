//go:build unix && !linux

package inject

import "strconv"

const pointerSize = strconv.IntSize / 8 // bytes for each string, besides the string

// maxEntrySize is the limit for one entry in bytes. There is none of its own.
func maxEntrySize() int { return 0 }

// maxTotalSize is the limit for all arguments and entries: ARG_MAX of macOS, in
// bytes.
func maxTotalSize() int { return 1 << 20 }
