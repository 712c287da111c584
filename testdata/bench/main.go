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
	"errors"
	"flag"
	"fmt"
	"io"
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
	flag.IntVar(&b.runs, "runs", 60, "how often each start is measured, and each change half as often")
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
	memory   string // the same, for starts, on a tmpfs if there is one
	emulator *emulator
	dirs     int   // state directories that were made
	rows     []row // of the targets
}

// measure measures everything, one thing after the other, and prints it.
func (b *bench) measure(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "infisync-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.memory, err = os.MkdirTemp("/dev/shm", "infisync-bench-"); err != nil {
		fmt.Println("no tmpfs at /dev/shm: starts are measured on the disk, whose file system may take its time")
		b.memory = b.dir
	}
	defer os.RemoveAll(b.memory)
	if b.infisync, err = b.install(b.infisync, "infisync"); err != nil {
		return err
	}
	for _, name := range []string{"execve", "launcher", "stamp"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.helper("built"), "./testdata/bench/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
		if _, err := b.install(b.helper("built"), name); err != nil {
			return err
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

// install copies a program to where it is measured, 32 KiB at a time, as container
// runtimes unpack what is in an image. The linker writes a file page by page, and the
// kernel maps each page of such a one by itself: it takes a tenth more to start.
func (b *bench) install(built, name string) (string, error) {
	from, err := os.Open(built)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.OpenFile(b.helper(name), os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return "", err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10))
	return b.helper(name), errors.Join(err, to.Close())
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
