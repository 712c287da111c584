package state

import "io/fs"

// checkOwner has nothing to judge by: Windows keeps access lists, not modes.
func checkOwner(string, fs.FileInfo) error { return nil }

func checkAccess(string) error { return nil }
