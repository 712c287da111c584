//go:build unix

package scriptcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"infisync/source/infisical/infisicaltest"
)

// holds NAME=VALUE [PLACE] demands that the server has the secret with this value,
// ! holds NAME [PLACE] that it has none of the name.
func cmdHolds(ts *testscript.TestScript, neg bool, args []string) {
	name, want, _ := strings.Cut(args[0], "=")
	secret, there := serverOf(ts).Get(place(ts, strings.Join(args[1:], "")), name)
	want = strings.ReplaceAll(want, `\n`, "\n")
	switch {
	case neg && there:
		ts.Fatalf("the server has %s", name)
	case !neg && !there:
		ts.Fatalf("the server has no %s", name)
	case !neg && secret.Value != want:
		ts.Fatalf("the server has %s=%q, want %q", name, secret.Value, want)
	}
}

// counts KIND N compares how many requests of a kind the server answered; N may
// also be =KIND or =KIND+N, as many as of another kind. counts reset begins anew.
func cmdCounts(ts *testscript.TestScript, neg bool, args []string) {
	server := serverOf(ts)
	if args[0] == "reset" {
		server.ResetCounts()
		return
	}
	counts := server.Counts()
	want := 0
	more := args[1]
	if kind, ok := strings.CutPrefix(args[1], "="); ok {
		kind, more, _ = strings.Cut(kind, "+")
		want = counts[infisicaltest.Kind(kind)]
	}
	if more != "" {
		want += number(ts, more)
	}
	if got := counts[infisicaltest.Kind(args[0])]; (got == want) == neg {
		ts.Fatalf("the server counted %d of %s, want %d: %v", got, args[0], want, counts)
	}
}

// answered KIND N waits until the server has answered N requests of a kind since
// its start or the last "counts reset".
func cmdAnswered(ts *testscript.TestScript, args []string) {
	ts.Check(serverOf(ts).Wait(context.Background(), infisicaltest.Kind(args[0]), number(ts, args[1])))
}

// approve [PLACE] has the server ask for an approval of each change from now on.
func cmdApprove(ts *testscript.TestScript, args []string) {
	ts.Check(serverOf(ts).RequireApproval(place(ts, strings.Join(args, "")), true))
}

// trusts METHOD PROOF has the server accept this JWT, and no other, for a login of its
// first identity with a method such as kubernetes-auth; for universal-auth it is the
// client secret.
func cmdTrusts(ts *testscript.TestScript, args []string) {
	id, _ := serverOf(ts).Credentials()
	ts.Check(serverOf(ts).ChangeIdentity(id, func(i *infisicaltest.Identity) {
		if args[0] == "universal-auth" {
			i.ClientSecret = args[1]
			return
		}
		if i.Logins == nil {
			i.Logins = make(map[string]map[string]string)
		}
		i.Logins[args[0]] = map[string]string{"jwt": args[1]}
	}))
}

// import FROM [TO] has the server give the secrets of a place in another, too.
func cmdImport(ts *testscript.TestScript, args []string) {
	from := place(ts, args[0])
	to := place(ts, strings.Join(args[1:], ""))
	ts.Check(serverOf(ts).Import(to, infisicaltest.Import{Environment: from.Environment, Path: from.Path}))
}

// mode FILE OCTAL demands a file's permissions.
func cmdMode(ts *testscript.TestScript, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// json FILE PATH VALUE demands that a file, which may be stdout, is one JSON
// document, and what it has at PATH: keys, indices and, for the length of an array
// or object, "len", separated by "/". Of what is no string VALUE is the JSON. With !
// there must be nothing at PATH.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	var at any
	text := ts.ReadFile(args[0])
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber() // a number stays as it is written
	if err := dec.Decode(&at); err != nil || !json.Valid([]byte(text)) {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	there := true
	for step := range strings.SplitSeq(args[1], "/") {
		if at, there = child(at, step); !there {
			break
		}
	}
	if neg || !there {
		if neg == there {
			ts.Fatalf("%s: is there something at %s: %v, want %v", args[0], args[1], there, !neg)
		}
		return
	}
	got, isText := at.(string)
	if !isText {
		text, err := json.Marshal(at)
		ts.Check(err)
		got = string(text)
	}
	if got != args[2] {
		ts.Fatalf("%s has %s at %s, want %s", args[0], got, args[1], args[2])
	}
}

// child returns what a value of JSON holds under one step of a path.
func child(at any, step string) (any, bool) {
	switch v := at.(type) {
	case map[string]any:
		if step == "len" {
			return len(v), true
		}
		found, ok := v[step]
		return found, ok
	case []any:
		if step == "len" {
			return len(v), true
		}
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		return v[i], true
	}
	return nil, false
}
