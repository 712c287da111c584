package infisical

import (
	"fmt"
	"strings"
	"testing"

	"infisync/source"
)

// BenchmarkReadListing decodes 10,000 secrets, each as long as servers send them.
func BenchmarkReadListing(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"secrets":[`)
	for i := range 10_000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"7d2c1f3e-5b0a-4c8e-9f64-%012d","_id":"7d2c1f3e-5b0a-4c8e-9f64-%012d","workspace":"p1","environment":"dev",`+
			`"version":1,"type":"shared","secretKey":"NAME_%d","secretValue":"%064d","secretComment":"","secretReminderNote":null,`+
			`"secretReminderRepeatDays":null,"skipMultilineEncoding":false,"metadata":null,"createdAt":"2026-11-23T14:04:26.023Z",`+
			`"updatedAt":"2026-11-23T14:04:26.023Z","secretPath":"/app","tags":[]}`, i, i, i, i)
	}
	body.WriteString(`],"imports":[]}`)
	q := Query{Place: source.Place{Project: "p1", Environment: "dev", Path: "/app"}}
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		listing, err := readListing(q, strings.NewReader(body.String()))
		if err != nil || len(listing.Own) != 10_000 {
			b.Fatal(len(listing.Own), err)
		}
	}
}
