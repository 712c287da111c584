package syncer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"infisync/source"
	"infisync/source/dotenv"
)

// hasEnvFiles tells whether there is a .env file that can answer: the default one
// may be missing.
func (s *Syncer) hasEnvFiles() bool {
	return len(s.opt.EnvFiles.Paths) > 0 && (s.opt.EnvFiles.Named || s.anyEnvFile())
}

func (s *Syncer) anyEnvFile() bool {
	for _, path := range s.opt.EnvFiles.Paths {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// envFilesInUse tells whether what the .env files hold reaches the child.
func (s *Syncer) envFilesInUse() bool {
	return s.current.From == FromDotenv || s.opt.EnvFiles.layered()
}

// readEnvFiles reads the files before anything else, so that a named file that is
// missing or broken is known at once. Unless it is in use, a default .env file
// that cannot be read matters only when it is called upon.
func (s *Syncer) readEnvFiles(ctx context.Context) error {
	files := s.opt.EnvFiles
	if !files.Named && (!s.anyEnvFile() || !s.mayUseEnvFiles()) {
		return nil
	}
	set, err := s.loadEnvFiles(ctx, true)
	s.current.Dotenv = set
	return err
}

// mayUseEnvFiles tells whether the settings give the .env files any part.
func (s *Syncer) mayUseEnvFiles() bool {
	return s.opt.EnvFiles.layered() || s.opt.Fallback.Dotenv
}

// loadEnvFiles reads the files; warn says which values are not as they were
// written.
func (s *Syncer) loadEnvFiles(ctx context.Context, warn bool) (source.Set, error) {
	var listings []source.Listing
	for _, path := range s.opt.EnvFiles.Paths {
		file := dotenv.File{Path: path}
		if warn {
			file.Expanded = func(names []string) {
				s.opt.Log.Warn(fmt.Sprintf("%q: a $ was expanded in %s: single quotes keep it", path, source.Enumerate(names, ", ")))
			}
		}
		set, err := file.Load(ctx)
		if source.CodeOf(err) == source.CodeDotenvMissing && !s.opt.EnvFiles.Named {
			continue
		}
		if err != nil {
			return source.Set{}, err
		}
		if len(s.opt.EnvFiles.Paths) == 1 {
			return set, nil
		}
		listings = append(listings, source.Listing{Own: slices.Collect(set.All())})
	}
	return source.Merge(listings), nil
}

// lookAtEnvFiles reads the files in use again. A file that cannot be read leaves
// the child with what it has, and is said once.
func (s *Syncer) lookAtEnvFiles(ctx context.Context) bool {
	if !s.envFilesInUse() || !s.hasEnvFiles() && s.current.Dotenv.Len() == 0 {
		return false
	}
	set, err := s.loadEnvFiles(ctx, false)
	if err == nil && set.Len() == 0 && s.current.Dotenv.Len() > 0 && !s.opt.AllowEmpty {
		// An editor that writes in place empties the file first.
		err = source.Errorf(source.CodeDotenvMissing, "%s is empty or gone", s.nameEnvFiles())
	}
	if err != nil {
		code := source.CodeOf(err)
		s.opt.Metrics.Erred(code)
		if code != s.envKind {
			s.envKind = code
			s.opt.Log.Warn(fmt.Sprintf("the child keeps what it has: %v", err), "code", string(code))
		}
		return false
	}
	s.envKind = ""
	if set.Equal(s.current.Dotenv) {
		return false
	}
	s.current.Dotenv = set
	return true
}

func (s *Syncer) nameEnvFiles() string {
	quoted := make([]string, len(s.opt.EnvFiles.Paths))
	for i, path := range s.opt.EnvFiles.Paths {
		quoted[i] = fmt.Sprintf("%q", path)
	}
	return strings.Join(quoted, ", ")
}
