//go:build unix

package scriptcmd

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// served is how a command says where it serves.
var served = regexp.MustCompile(`serving (http://[^/]+)/`)

// get NAME PATH STATUS [REGEXP…] asks the address that a spawned command said on
// standard error, until the answer has the status and every REGEXP matches it; @FILE is
// one that a file has. NAME.got has the last answer, or why there was none.
func cmdGet(ts *testscript.TestScript, args []string) {
	name, path, status := args[0], args[1], args[2]
	var patterns []*regexp.Regexp
	for _, arg := range args[3:] {
		if file, ok := strings.CutPrefix(arg, "@"); ok {
			arg = strings.TrimSpace(ts.ReadFile(file))
		}
		patterns = append(patterns, compile(ts, arg))
	}
	got := ts.MkAbs(name + ".got")
	await(ts, fmt.Sprintf("%s of %s", path, name), func() bool {
		address := served.FindStringSubmatch(readOrEmpty(ts.MkAbs(name + ".err")))
		if address == nil {
			return false
		}
		body, ok := "", false
		resp, err := http.Get(address[1] + path)
		if err == nil {
			body, ok = readAnswer(resp, status, patterns)
		} else {
			body = err.Error()
		}
		ts.Check(os.WriteFile(got, []byte(body), 0o600))
		return ok
	})
}

// readAnswer returns the body, and whether the answer is the one that is awaited.
func readAnswer(resp *http.Response, status string, patterns []*regexp.Regexp) (string, bool) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok := err == nil && strconv.Itoa(resp.StatusCode) == status
	for _, pattern := range patterns {
		ok = ok && pattern.Match(body)
	}
	return string(body), ok
}
