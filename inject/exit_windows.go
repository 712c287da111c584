package inject

import "os"

// Exit ends this process with the child's Code. It does not return.
func (s Status) Exit() { os.Exit(s.Code) }
