//go:build !windows

package disk

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Replace writes data to a new file beside path, with mode 0600 from its
// creation, and gives it path's name. When Replace returns nil, a loss of power
// no longer undoes it. When it fails or is killed, the old file or the new one
// is there, whole. It does not create folders.
func Replace(path string, data []byte) (err error) {
	// Beside the file, not in $TMPDIR, where Sweep would not find it.
	file, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(fileMode))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
