//go:build unix

package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFilesOfOthers: who shares a folder such as /tmp with the one who runs infisync
// cannot set anything for those who work below it.
func TestFilesOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("needs to be run by root")
		}
		t.Skip("needs to be run by root")
	}
	const me, other = 0, 65533
	tests := []struct {
		name                string
		folder, below, file int // whose they are
		mode                os.FileMode
		used                bool
	}{
		{"mine", me, me, me, 0o755, true},
		{"mine in a shared folder", me, me, me, 0o1777, true},
		{"another's in a shared folder", me, me, other, 0o1777, false},
		{"another's in another's folder", other, me, other, 0o755, false},
		{"another's, who owns the working directory", other, other, other, 0o755, true},
		{"another's in a folder that only I can write in", me, me, other, 0o755, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder")
			below := filepath.Join(folder, "below")
			own := write(t, filepath.Join(folder, OwnName), "env: own\n")
			official := write(t, filepath.Join(folder, officialName), `{"workspaceId":"p"}`)
			if err := os.Mkdir(below, 0o755); err != nil {
				t.Fatal(err)
			}
			for path, uid := range map[string]int{folder: test.folder, below: test.below, own: test.file, official: test.file} {
				if err := os.Chown(path, uid, uid); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(folder, test.mode); err != nil {
				t.Fatal(err)
			}
			s := load(t, nil, environ(), below)
			notice := `"` + own + `" is passed over: another user has put it there`
			if (s.Env == "own") != test.used || (s.Project == "p") != test.used || slices.Contains(s.Notices, notice) == test.used {
				t.Errorf("environment %q, project %q, notices %q", s.Env, s.Project, s.Notices)
			}
		})
	}
}
