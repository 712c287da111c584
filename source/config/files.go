package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"infisync/source"
)

// maxFile bounds what is read of a configuration file.
const maxFile = 1 << 20 // 1 MiB

// files are the configuration files that were found; nil: there is none.
type files struct {
	own      *ownFile
	official *officialFile
	notices  []string
}

func findFiles(dir string) (f files, err error) {
	foreign := func(path string) {
		f.notices = append(f.notices, fmt.Sprintf("%q is passed over: another user has put it there", path))
	}
	if f.own, err = findOwn(dir, foreign); err != nil {
		return files{}, err
	}
	if f.official, err = findOfficial(dir, foreign); err != nil {
		return files{}, err
	}
	if f.official != nil {
		f.notices = append(f.notices, f.official.notices...)
	}
	return f, nil
}

// used names the files, the stronger first, and what each sets.
func (f files) used() []string {
	var used []string
	if f.own != nil {
		used = append(used, describe(f.own.path, slices.Sorted(maps.Keys(f.own.values))))
	}
	if f.official != nil {
		settings := slices.Sorted(maps.Keys(f.official.values))
		settings = slices.DeleteFunc(settings, func(name string) bool { return f.official.get(name) == "" })
		used = append(used, describe(f.official.path, settings))
	}
	return used
}

func describe(path string, settings []string) string {
	if len(settings) == 0 {
		return fmt.Sprintf("%q sets nothing", path)
	}
	return fmt.Sprintf("%q sets %s", path, strings.Join(settings, ", "))
}

// readUpwards reads the file of that name in dir or the nearest folder above. The
// data is nil when there is none. Files that another user may have put there are
// passed over, and foreign is told of them.
func readUpwards(dir, name string, foreign func(path string)) (path string, data []byte, err error) {
	start := dir
	for {
		path = filepath.Join(dir, name)
		info, err := os.Stat(path)
		switch {
		case err == nil && info.Mode().IsRegular() && isForeign(path, start):
			foreign(path)
		case err == nil && info.Mode().IsRegular():
			if info.Size() > maxFile {
				return path, nil, source.Errorf(source.CodeConfigInvalid, "%q is larger than 1 MiB", path)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return path, nil, source.Errorf(source.CodeConfigInvalid, "reading the configuration: %w", err)
			}
			return path, data, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return path, nil, source.Errorf(source.CodeConfigInvalid, "reading the configuration: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil, nil
		}
		dir = parent
	}
}
