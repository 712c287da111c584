//go:build unix

package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// isForeign tells whether the file at path, found from dir upwards, may be the doing of
// a user who has no part in this: neither root, nor who runs infisync, nor to whom dir
// belongs, which in a container often is another. Such a user can put files into /tmp,
// and so above whoever works below it.
func isForeign(path, dir string) bool {
	known := []uint32{0, uint32(os.Geteuid())}
	if info, err := os.Stat(dir); err == nil {
		known = append(known, owner(info))
	}
	const others = 0o002 // may write
	folder, err := os.Stat(filepath.Dir(path))
	if err == nil && folder.Mode().Perm()&others == 0 && slices.Contains(known, owner(folder)) {
		return false // whoever put the file there was let
	}
	file, err := os.Lstat(path)
	return err != nil || !slices.Contains(known, owner(file))
}

func owner(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }
