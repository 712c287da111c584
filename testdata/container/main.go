// Command container is what runs in the containers that .ci/containers makes, in
// which there is nothing else.
//
//	                       without arguments: drain 2s 0
//	drain DURATION STATUS  tell a hash of GREETING; on TERM go on for so long, then end so
//	orphans N              leave N processes behind that end at once
//	zombies                wait until no dead process is left that nobody has waited for
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if len(os.Args) == 1 {
		os.Args = append(os.Args, "drain", "2s", "0")
	}
	switch os.Args[1] {
	case "drain":
		duration, err := time.ParseDuration(os.Args[2])
		check(err)
		fmt.Printf("ready as %d with %x\n", os.Getpid(), sha256.Sum256([]byte(os.Getenv("GREETING"))))
		<-signals
		fmt.Println("draining")
		time.Sleep(duration)
		fmt.Println("drained")
		os.Exit(number(os.Args[3]))
	case "orphans":
		for range number(os.Args[2]) {
			_, err := start("parent").Wait()
			check(err)
		}
	case "parent":
		start("orphan")
	case "orphan":
		for os.Getppid() != 1 {
			runtime.Gosched()
		}
	case "zombies":
		for zombies() > 0 {
			runtime.Gosched()
		}
	}
}

func start(role string) *os.Process {
	p, err := os.StartProcess("/proc/self/exe", []string{"child", role}, &os.ProcAttr{})
	check(err)
	return p
}

// zombies counts the dead processes that are still there.
func zombies() int {
	n := 0
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	check(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has gone since
		}
		if _, after, _ := bytes.Cut(text, []byte(") ")); bytes.HasPrefix(after, []byte("Z")) {
			n++
		}
	}
	return n
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
