// Command environ prints its environment, each entry ended by a NUL byte.
package main

import (
	"os"
	"strings"
)

func main() {
	if _, err := os.Stdout.WriteString(strings.Join(os.Environ(), "\x00") + "\x00"); err != nil {
		os.Exit(1)
	}
}
