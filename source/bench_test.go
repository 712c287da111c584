package source

import (
	"fmt"
	"testing"
)

// BenchmarkMerge builds the set of what one place lists, in the order of a server,
// which is not that of the names.
func BenchmarkMerge(b *testing.B) {
	place := Place{Project: "p1", Environment: "dev", Path: "/"}
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			listing := Listing{Place: place}
			for i := range n {
				listing.Own = append(listing.Own, secret(fmt.Sprintf("NAME_%d", (i*7919)%n), "value", place))
			}
			b.ReportAllocs()
			for b.Loop() {
				if set := Merge([]Listing{listing}); set.Len() != n {
					b.Fatalf("%d secrets, want %d", set.Len(), n)
				}
			}
		})
	}
}
