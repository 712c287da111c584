package state

import (
	"fmt"
	"strings"
	"testing"

	"infisync/source"
)

func manySecrets(n int) source.Set {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("NAME_%d", i), strings.Repeat("v", 64))
	}
	return set(pairs...)
}

func BenchmarkDigest(b *testing.B) {
	for _, hasher := range []Hasher{{}, NewHasher(source.NewValue("key"))} {
		for _, n := range []int{50, 5000} {
			b.Run(fmt.Sprintf("method=%s/%d", hasher.Method(), n), func(b *testing.B) {
				secrets := manySecrets(n)
				b.ReportAllocs()
				for b.Loop() {
					if hasher.Digest(secrets) == "" {
						b.Fatal("no digest")
					}
				}
			})
		}
	}
}

// BenchmarkRecord makes the text of a state file.
func BenchmarkRecord(b *testing.B) {
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			secrets := manySecrets(n)
			b.ReportAllocs()
			for b.Loop() {
				var f File
				f.Record(scope, secrets, Hasher{}, start)
				if _, err := f.MarshalJSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
