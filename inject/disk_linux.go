package inject

import "golang.org/x/sys/unix"

// onDisk tells whether what is written in dir is kept elsewhere than in memory.
func onDisk(dir string) bool {
	var system unix.Statfs_t
	if err := unix.Statfs(dir, &system); err != nil {
		return false // writing there says why
	}
	return system.Type != unix.TMPFS_MAGIC && system.Type != unix.RAMFS_MAGIC
}
