// Command emulator serves the Infisical API from a seed file, to try infisync
// without an account:
//
//	go run ./examples/emulator --listen 127.0.0.1:8090 --seed examples/emulator/seed.json
//
// It prints the variables to export, and serves until INT or TERM. Nothing is
// stored; what is changed over the API is gone at its end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"infisync/source/infisical/infisicaltest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "emulator: error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, seedFile, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if seedFile != "" {
		seed, err := readSeed(seedFile)
		if err != nil {
			return err
		}
		opts.Seed = &seed
	}
	server, err := infisicaltest.Start(opts)
	if err != nil {
		return err
	}
	defer server.Close()
	printVariables(stdout, server)
	<-ctx.Done()
	return nil
}

func parse(args []string, stderr io.Writer) (opts infisicaltest.Options, seedFile string, err error) {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are printed once, by main; the usage only when asked for
	flags.StringVar(&opts.Listen, "listen", "127.0.0.1:8090", "`host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&seedFile, "seed", "", "`file` with what the server holds; without it, one empty project")
	profile := flags.String("profile", "current", "kind of server: current, documented, legacy or v4-2025")
	flags.BoolVar(&opts.Control, "control", false, "offer commands under /__emulator/ to whoever can connect")
	requests := flags.Bool("log", false, "print a line per request on stderr")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return opts, "", err
	}
	if flags.NArg() > 0 {
		return opts, "", fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	opts.Profile = infisicaltest.Profile(*profile)
	if *requests {
		opts.Log = stderr
	}
	return opts, seedFile, nil
}

func readSeed(name string) (infisicaltest.Seed, error) {
	file, err := os.Open(name)
	if err != nil {
		return infisicaltest.Seed{}, err
	}
	defer file.Close()
	seed, err := infisicaltest.ReadSeed(file)
	if err != nil {
		return infisicaltest.Seed{}, fmt.Errorf("%q: %w", name, err)
	}
	return seed, nil
}

// printVariables prints what to export, so that a shell can evaluate it.
func printVariables(out io.Writer, server *infisicaltest.Server) {
	id, secret := server.Credentials()
	for _, v := range []struct{ name, value string }{
		{"INFISICAL_URL", server.URL()},
		{"INFISICAL_CLIENT_ID", id},
		{"INFISICAL_CLIENT_SECRET", secret},
		{"INFISICAL_PROJECT_ID", server.Project()},
		{"INFISICAL_ENVIRONMENT", server.Environment()},
	} {
		fmt.Fprintf(out, "export %s=%s\n", v.name, shellQuote(v.value))
	}
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
