// Command app is what the demo runs: a program that tells which password it was
// given, by a hash of it, and then works until it is stopped.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	password, ok := os.LookupEnv("DB_PASSWORD")
	if !ok {
		fmt.Println("app: DB_PASSWORD is not set")
		os.Exit(1)
	}
	hash := sha256.Sum256([]byte(password))
	fmt.Printf("app: pid %d runs, its DB_PASSWORD hashes to %x\n", os.Getpid(), hash[:6])
	<-stop
	fmt.Printf("app: pid %d stops\n", os.Getpid())
}
