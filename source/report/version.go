package report

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"infisync/source"
)

// Version is linked, the version set at link time, else the module's, else the
// revision the program was built from.
func Version(linked string) string {
	if linked != "" {
		return linked
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// WriteVersion writes the version as "text" or "json": with the revision, its time
// (RFC 3339), what it was built with and for. What is not known is left out.
func WriteVersion(w io.Writer, linked, format string) error {
	switch format {
	case "text":
		_, err := fmt.Fprintln(w, "infisync", Version(linked))
		return err
	case "json":
	default:
		return source.NoFormat(format, "text", "json")
	}
	told := struct {
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"`
		Time     string `json:"time,omitempty"`
		Modified bool   `json:"modified,omitempty"`
		Go       string `json:"go"`
		OS       string `json:"os"`
		Arch     string `json:"arch"`
	}{Version: Version(linked), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				told.Revision = s.Value
			case "vcs.time":
				told.Time = s.Value
			case "vcs.modified":
				told.Modified = s.Value == "true"
			}
		}
	}
	return source.WriteJSON(w, told)
}
