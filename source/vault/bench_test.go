package vault

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infisync/source"
)

func pulled(n int) Contents {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("NAME_%d", i), strings.Repeat("v", 64))
	}
	contents := Contents{Scope: scopeA}
	contents.ApplyPull(set(pairs...), start)
	return contents
}

// BenchmarkSeal encodes and encrypts a vault, without what the disk costs.
func BenchmarkSeal(b *testing.B) {
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			key, contents := testKey(b, "k"), pulled(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := seal(contents, key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			key := testKey(b, "k")
			sealed, err := seal(pulled(n), key)
			if err != nil {
				b.Fatal(err)
			}
			path := filepath.Join(b.TempDir(), "vault.age")
			if err := os.WriteFile(path, sealed, 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if contents, err := Open(path, key, scopeA); err != nil || contents.Set.Len() != n {
					b.Fatal(contents.Set.Len(), err)
				}
			}
		})
	}
}

func BenchmarkDeriveKey(b *testing.B) {
	secret := source.NewValue(strings.Repeat("k", 64))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DeriveKey(secret); err != nil {
			b.Fatal(err)
		}
	}
}
