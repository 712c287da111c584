package export

import (
	"errors"
	"io/fs"
	"os"

	"infisync/source"
	"infisync/source/state/disk"
)

// WriteFile writes set to the file at path, in that format. The file has mode
// 0600 from its creation and replaces a present one, whatever its mode, as a
// whole: whoever reads meanwhile sees the old content or the new. When the
// format cannot carry a secret, a present file stays as it is.
//
// A symbolic link is an error rather than followed or replaced: following could
// write where another user wants it, replacing could take a secret from a
// memory file system to a disk. A device, a pipe or a link to one, such as
// /dev/stdout, is written to; a pipe blocks until it is read.
//
// Errors are those of [Write], with source.CodeExportFile for the file's.
func WriteFile(path, format string, set source.Set, opt Options) error {
	text, err := render(format, set, opt)
	if err != nil {
		return err
	}
	stream, err := isStream(path)
	switch {
	case err != nil:
	case stream:
		err = writeStream(path, text)
	default:
		err = disk.Replace(path, text)
	}
	if err != nil {
		return source.Errorf(source.CodeExportFile, "writing the secrets to %q: %w", path, err)
	}
	return nil
}

// isStream tells whether path can only be written to and not be replaced. What
// may be neither is an error.
func isStream(path string) (bool, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return true, nil
	}
	link, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case link.Mode()&fs.ModeSymlink != 0:
		return false, errors.New("it is a symbolic link: name the file itself")
	case link.IsDir():
		return false, errors.New("it is a directory")
	}
	return false, nil
}

func writeStream(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
