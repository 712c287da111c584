package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"infisync/source"
	"infisync/source/state/disk"
)

// ErrNotWritable tells that the state directory cannot be written. Nothing is
// wrong with it otherwise: what is in it may be read, and infisync can do
// without a vault.
var ErrNotWritable = errors.New("state directory not writable")

// Prepare makes dir ready to be the state directory: it is created with mode
// 0700 when missing. Errors have source.CodeStateDir. One that wraps
// ErrNotWritable says that dir can neither be made nor written; any other, that
// dir must not be used, since another user owns it or can write in it.
func Prepare(dir string) error {
	if err := disk.MakeDir(dir); err != nil {
		return notWritable(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return notWritable(err)
	}
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	if err := checkAccess(dir); err != nil {
		return notWritable(&fs.PathError{Op: "access", Path: dir, Err: err})
	}
	return nil
}

// notWritable says why in its text and wraps ErrNotWritable: the reason itself
// has no bearing on what can be done.
func notWritable(reason error) error {
	return &source.Error{
		Code: source.CodeStateDir,
		Text: fmt.Sprintf("state directory not writable: %v", reason),
		Err:  ErrNotWritable,
	}
}
