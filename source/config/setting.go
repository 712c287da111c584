package config

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"infisync/source"
)

// A Setting is one thing a user can set: by a flag, by a variable, and where
// noted by a file.
type Setting struct {
	Name    string   // the flag's name; the variable is INFISYNC_ and this in upper case
	Vars    []string // further variables, the first that is set wins
	Group   string   // the heading in the help
	On      Command  // the commands that take it
	Arg     string   // what stands for the value in the help; empty: a switch
	Default string   // as a user would write it
	Help    string   // one line
	Many    bool     // may be given more than once; a variable holds several separated by commas
	Switch  bool     // takes no value on the command line unless written --name=value
	Private bool     // may not stand in a file that belongs in a repository
	read    func(*Settings) reader
}

// prefix is what the settings' own variables begin with.
const prefix = "INFISYNC_"

// Variable is the setting's own environment variable.
func (s *Setting) Variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// A reader takes the texts a setting was given, at least one, and says what is
// wrong with them in words that follow "is not".
type reader func(texts []string) (wrong string)

func last(texts []string) string { return texts[len(texts)-1] }

func text(into *string) reader {
	return func(texts []string) string { *into = last(texts); return "" }
}

func list(into *[]string) reader {
	return func(texts []string) string { *into = texts; return "" }
}

func boolean(into *bool) reader {
	return func(texts []string) string {
		v, err := strconv.ParseBool(last(texts))
		if err != nil {
			return "true or false"
		}
		*into = v
		return ""
	}
}

func oneOf(into *string, choices ...string) reader {
	return func(texts []string) string {
		if !slices.Contains(choices, last(texts)) {
			return "one of " + strings.Join(choices, ", ")
		}
		*into = last(texts)
		return ""
	}
}

// duration reads a Go duration not below least.
func duration(into *time.Duration, least time.Duration) reader {
	return func(texts []string) string {
		d, err := time.ParseDuration(last(texts))
		if err != nil || d < 0 {
			return "a duration such as 500ms, 30s, 5m or 168h"
		}
		if d < least {
			return fmt.Sprintf("at least %s", least)
		}
		*into = d
		return ""
	}
}

func fallback(into *source.Fallback) reader {
	return func(texts []string) string {
		f, ok := source.ParseFallback(strings.Join(texts, ","))
		if !ok {
			return "vault, dotenv, vault,dotenv or none"
		}
		*into = f
		return ""
	}
}

// httpURL reads an absolute http or https URL, or nothing.
func httpURL(into *string) reader {
	return func(texts []string) string {
		u, err := url.Parse(last(texts))
		if last(texts) != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return "a URL such as http://127.0.0.1:8080/health"
		}
		*into = last(texts)
		return ""
	}
}

// sockets reads addresses to listen at.
func sockets(into *[]string) reader {
	return func(texts []string) string {
		for _, t := range texts {
			network, address, _ := strings.Cut(t, ":")
			if network != "tcp" && network != "unix" || address == "" {
				return "tcp:HOST:PORT or unix:PATH"
			}
		}
		*into = texts
		return ""
	}
}

// globs reads patterns as path.Match takes them.
func globs(into *[]string) reader {
	return func(texts []string) string {
		for _, t := range texts {
			if _, err := path.Match(t, ""); err != nil {
				return "a glob"
			}
		}
		*into = texts
		return ""
	}
}

// hostPort reads the address of a host and a port, or nothing.
func hostPort(into *string) reader {
	return func(texts []string) string {
		_, port, err := net.SplitHostPort(last(texts))
		if last(texts) != "" && (err != nil || port == "") {
			return "an address such as 127.0.0.1:8080"
		}
		*into = last(texts)
		return ""
	}
}

// preserve reads the optional value of --preserve-env: alone it means all names,
// and so does 1, as a variable is often set.
func preserve(s *Settings) reader {
	return func(texts []string) string {
		for _, t := range texts {
			switch t {
			case "true", "1":
				s.PreserveAll = true
			case "false", "0":
				s.PreserveAll, s.PreserveNames = false, nil
			default:
				s.PreserveNames = append(s.PreserveNames, splitComma(t)...)
			}
		}
		return ""
	}
}

// orphans reads the optional value of --delete-orphans.
func orphans(s *Settings) reader {
	return func(texts []string) string {
		switch last(texts) {
		case "true", "1":
			s.DeleteOrphans = "server"
		case "false", "0":
			s.DeleteOrphans = ""
		case "all":
			s.DeleteOrphans = "all"
		default:
			return "all, or without a value"
		}
		return ""
	}
}

// renames reads OLD=NEW, where a server could have a secret of the old name and a
// shell or a program could ask for a variable of the new one.
func renames(into *map[string]string) reader {
	return func(texts []string) string {
		m := make(map[string]string)
		for _, t := range texts {
			from, to, _ := strings.Cut(t, "=")
			if from == "" || to == "" {
				return "OLD=NEW"
			}
			if strings.TrimSpace(from) != from || strings.ContainsAny(from, ":/\x00") {
				return "OLD=NEW with the name of a secret: no colon, slash or white space around it"
			}
			if strings.ContainsFunc(to, func(r rune) bool { return r == '=' || unicode.IsSpace(r) || unicode.IsControl(r) }) {
				return "OLD=NEW with the name of a variable: no white space and no second ="
			}
			m[from] = to
		}
		*into = m
		return ""
	}
}

// places reads [PROJECT:]ENV:/PATH.
func places(into *[]string) reader {
	return func(texts []string) string {
		for _, text := range texts {
			if _, err := source.ParsePlace(text); err != nil {
				return "[PROJECT:]ENV:/PATH"
			}
		}
		*into = texts
		return ""
	}
}

func splitComma(s string) []string {
	var parts []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
