package disk

import "github.com/google/renameio/v2/maybe"

// Replace writes data to path. Windows has no atomic replacement: whoever reads
// meanwhile may see part of the file, and a crash may leave part of it.
func Replace(path string, data []byte) error {
	return maybe.WriteFile(path, data, fileMode)
}
