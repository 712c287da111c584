//go:build linux

// Command bench measures what infisync costs and compares it with what it may cost:
//
//	go run ./testdata/bench -infisync ./infisync
//
// It prints two tables, of what every start costs and of the targets. A target that
// is missed is no failure, since a busy machine misses some: the exit status tells
// only whether everything could be measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == serveArgument {
		serve()
		return
	}
	runtime.LockOSThread() // what it starts ends with the thread that started it
	var b bench
	flag.StringVar(&b.infisync, "infisync", "./infisync", "the `binary` to measure")
	flag.IntVar(&b.runs, "runs", 30, "how often each start and each change is measured")
	flag.IntVar(&b.polls, "polls", 60, "how many polls the resident process is watched for")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.measure(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// A bench is one run of the benchmark.
type bench struct {
	infisync    string
	runs, polls int

	dir      string // temporary: helpers, homes and state directories
	emulator *emulator
	dirs     int   // state directories that were made
	rows     []row // of the targets
}

// measure measures everything, one thing after the other, and prints it.
func (b *bench) measure(ctx context.Context) (err error) {
	if b.infisync, err = filepath.Abs(b.infisync); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "infisync-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	for _, name := range []string{"execve", "launcher", "stamp"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.helper(name), "./testdata/bench/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	if b.emulator, err = startEmulator(ctx); err != nil {
		return fmt.Errorf("starting the emulator: %w", err)
	}
	defer b.emulator.stop()
	for _, part := range []struct {
		what    string
		measure func(context.Context) error
	}{
		{"starts", b.starts}, {"resident processes, for minutes", b.resident}, {"changes", b.changes},
		{"many secrets", b.large}, {"the binary", b.size},
	} {
		fmt.Fprintf(os.Stderr, "\nbench: measuring %s\n", part.what)
		if err := part.measure(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("\nTargets\n\n")
	if err := printTable(os.Stdout, []string{"what", "target", "measured", "of the target", ""}, cells(b.rows)); err != nil {
		return err
	}
	fmt.Printf("\n%d of %d targets are met. Goroutines cannot be counted from outside: make soak does.\n", b.met(), len(b.rows))
	return nil
}

func (b *bench) helper(name string) string { return filepath.Join(b.dir, name) }

// size is of the binary that was given.
func (b *bench) size(context.Context) error {
	info, err := os.Stat(b.infisync)
	if err != nil {
		return err
	}
	megabytes := float64(info.Size()) / 1e6
	b.target("the binary, stripped", "≤ 12 MB", fmt.Sprintf("%.1f MB", megabytes), megabytes/12)
	return nil
}
