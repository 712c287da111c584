package inject

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkBuild merges secrets into an inherited environment of 40 variables, and
// makes of it what a restart is decided by.
func BenchmarkBuild(b *testing.B) {
	var inherited []string
	for i := range 40 {
		inherited = append(inherited, fmt.Sprintf("INHERITED_%d=%s", i, strings.Repeat("v", 64)))
	}
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			layer := Layer{Origin: Server}
			for i := range n {
				layer.Vars = append(layer.Vars, NewVar(fmt.Sprintf("NAME_%d", i), strings.Repeat("v", 64)))
			}
			b.ReportAllocs()
			for b.Loop() {
				env, _, err := Build(inherited, []Layer{layer}, Policy{Except: []string{"X_*"}})
				if err != nil || env.Len() != n+len(inherited) || env.Digest() == "" {
					b.Fatal(env.Len(), err)
				}
			}
		})
	}
}
