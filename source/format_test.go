package source

import (
	"strings"
	"testing"
)

func TestFormat(t *testing.T) {
	var out strings.Builder
	if err := WriteJSON(&out, map[string]string{"URL": "http://a/?b=<c>&d"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"URL\": \"http://a/?b=<c>&d\"\n}\n"; out.String() != want {
		t.Errorf("WriteJSON wrote %q, want %q", out.String(), want)
	}
	err := NoFormat("xml", "text", "json")
	if want := `there is no format "xml": use one of text, json`; err.Error() != want || CodeOf(err) != CodeUsage {
		t.Errorf("NoFormat() = %s (%s), want %s", err, CodeOf(err), want)
	}
}
