package syncer

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"

	"infisync/source/state"
)

// watchFiles gives a hint each time one of the files in use may have changed. It
// watches their folders, since editors and infisync itself replace files whole.
// Hints may be missing, where the system has no watch left for example: the files
// are compared at each interval too. The channel is nil when no file is in use.
func (s *Syncer) watchFiles(ctx context.Context) <-chan struct{} {
	var paths []string
	if s.envFilesInUse() {
		paths = append(paths, s.opt.EnvFiles.Paths...)
	}
	if s.opt.Start == "offline" && s.store != nil {
		paths = append(paths, state.Path(s.store.dir, s.scope()))
	}
	if len(paths) == 0 {
		return nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.opt.Log.Debug("watching files: " + err.Error() + "; comparing them at each interval")
		return nil
	}
	for i, path := range paths {
		if paths[i], err = filepath.Abs(path); err == nil {
			err = watcher.Add(filepath.Dir(paths[i]))
		}
		if err != nil {
			s.opt.Log.Debug("watching files: " + err.Error() + "; comparing them at each interval")
		}
	}
	hints := make(chan struct{}, 1)
	go forwardHints(ctx, watcher, paths, hints)
	return hints
}

func forwardHints(ctx context.Context, watcher *fsnotify.Watcher, paths []string, hints chan<- struct{}) {
	defer watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-watcher.Events:
			if !ok {
				return
			}
			if event.Op == fsnotify.Chmod || !slices.Contains(paths, event.Name) {
				continue
			}
			select {
			case hints <- struct{}{}:
			default: // one is waiting already
			}
		case _, ok := <-watcher.Errors:
			if !ok {
				return
			}
		}
	}
}
