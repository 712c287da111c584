package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
)

// declared returns the texts of the constants of a file whose names begin with
// "Code".
func declared(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Code") || i >= len(spec.Values) {
				continue
			}
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				continue
			}
			code, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	if len(codes) == 0 {
		t.Fatalf("%s declares no code", path)
	}
	return codes
}

func TestEveryCodeIsExplained(t *testing.T) {
	for _, path := range []string{"../errors.go", "../../inject/errors.go", "codes.go"} {
		for _, code := range declared(t, path) {
			if _, ok := Explain(source.Code(code)); !ok {
				t.Errorf("%s: code %q has no entry", path, code)
			}
		}
	}
}

func TestEntriesAreComplete(t *testing.T) {
	seen := make(map[source.Code]bool)
	for _, entry := range Codes {
		if seen[entry.Code] {
			t.Errorf("%q has two entries", entry.Code)
		}
		seen[entry.Code] = true
		if !strings.HasSuffix(entry.Cause, ".") {
			t.Errorf("%q: cause %q is not a sentence", entry.Code, entry.Cause)
		}
		if entry.Remedy == "" || strings.HasSuffix(entry.Remedy, ".") || strings.Contains(entry.Remedy, "\n") {
			t.Errorf("%q: remedy %q is not one line without a full stop", entry.Code, entry.Remedy)
		}
	}
}

func TestWriteEntry(t *testing.T) {
	entry, ok := Explain(source.CodeLoginRefused)
	if !ok {
		t.Fatal("login-refused is not explained")
	}
	var text, object strings.Builder
	if err := entry.Write(&text, "text"); err != nil {
		t.Fatal(err)
	}
	if want := "login-refused\n  cause:  " + entry.Cause + "\n  remedy: " + entry.Remedy + "\n"; text.String() != want {
		t.Errorf("got %q, want %q", text.String(), want)
	}
	if err := entry.Write(&object, "json"); err != nil {
		t.Fatal(err)
	}
	var got Entry
	if err := json.Unmarshal([]byte(object.String()), &got); err != nil || got != entry {
		t.Errorf("got %s, %v", object.String(), err)
	}
}

// Four failures that every user meets sooner or later each have a remedy of
// their own.
func TestHintOfKnownFailures(t *testing.T) {
	seen := make(map[string]string)
	for name, err := range map[string]error{
		"403 on fetch":               source.Errorf(source.CodeAccessDenied, "listing"),
		"connection refused":         source.Errorf(source.CodeUnreachable, "dialling"),
		"invalid character in name":  source.Errorf(source.CodeNameInvalid, "name"),
		"login without access token": fmt.Errorf("pulling: %w", source.Errorf(source.CodeNotTheAPI, "logging in: %w", infisical.ErrNoAccessToken)),
	} {
		hint := Hint(err)
		if other, ok := seen[hint]; ok || hint == "" {
			t.Errorf("%s: hint %q, also that of %q", name, hint, other)
		}
		seen[hint] = name
	}
	if hint := Hint(nil); hint != "" {
		t.Errorf("no error gives the hint %q", hint)
	}
	if hint := Hint(errors.New("anything")); hint == "" {
		t.Error("an error without a code gives no hint")
	}
}
