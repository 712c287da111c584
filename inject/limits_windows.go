package inject

const pointerSize = 0

// maxEntrySize is the limit for one entry, its NUL included.
func maxEntrySize() int { return 32767 }

// maxTotalSize is the limit for all arguments and entries. There is none.
func maxTotalSize() int { return 0 }
