package doctor

import (
	"encoding/json"
	"strings"
	"testing"
)

var report = Report{
	{Name: "url", Result: OK, Text: "https://host/api"},
	{Name: "client-secret", Result: Warning, Code: CodeClockSkew, Text: "a\nb\x1b[31m\u202e", Remedy: "c"},
	{Name: "tcp", Result: Failed, Code: "server-unreachable", Text: "<refused>", Remedy: "check it"},
	{Name: "tls", Result: Skipped, Text: "tcp failed"},
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	if err := report.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := `url            ok       https://host/api
client-secret  warning  [clock-skew] a b [31m ` + `
               remedy: c
tcp            FAILED   [server-unreachable] <refused>
               remedy: check it
tls            skipped  tcp failed
ok: 1, warnings: 1, failed: 1, skipped: 1
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	if err := report.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var items []map[string]string
	if err := json.Unmarshal([]byte(b.String()), &items); err != nil {
		t.Fatal(err)
	}
	if len(items) != 4 || items[2]["result"] != "failed" || items[2]["code"] != "server-unreachable" || items[2]["text"] != "<refused>" {
		t.Errorf("got %s", b.String())
	}
	if _, ok := items[0]["code"]; ok {
		t.Error("an item that is ok has a code")
	}
	b.Reset()
	if err := Report(nil).WriteJSON(&b); err != nil || b.String() != "[]\n" {
		t.Errorf("an empty report is %q, %v", b.String(), err)
	}
}

func TestFailed(t *testing.T) {
	if !report.Failed() || report[:2].Failed() || Report(nil).Failed() {
		t.Error("Failed is true for something else than a failed item")
	}
}
