//go:build unix

package doctor

import "io/fs"

// letsOthersIn tells whether users other than the owner may do anything with it.
func letsOthersIn(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
