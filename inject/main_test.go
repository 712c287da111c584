//go:build linux

package inject

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain makes the test binary other programs too: under the names of roles it
// is the supervising program or one of its children.
func TestMain(m *testing.M) {
	Stage()
	if role, ok := roles()[filepath.Base(os.Args[0])]; ok {
		os.Exit(role(os.Args[1:]))
	}
	catchIgnored()
	os.Exit(m.Run())
}

// catchIgnored makes HUP and INT have their effect in the programs that the tests start,
// also when nohup(1) or a shell's background had them ignored: what is caught here is
// reset in a child, what is ignored here is ignored there.
func catchIgnored() {
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

func roles() map[string]func(args []string) int {
	return map[string]func([]string) int{
		"supervise":    supervise,
		"becomes":      becomes,
		"child-exit":   childExit,
		"child-die":    childDie,
		"child-trap":   childTrap,
		"child-fork":   childFork,
		"child-env":    childEnvironment,
		"child-wants":  childWants,
		"child-orphan": childOrphan,
		"child-tty":    childTTY,
		"child-serve":  childServe,
		"child-file":   childFile,
	}
}

// An order is what the supervising program is told to do, as JSON in its first
// argument. Environments come on descriptor 3, one JSON object a line; events go
// to descriptor 4, one a line.
type order struct {
	Supervisor
	OnEvent   *int     // hides the Supervisor's, which is no data
	Inherited []string // nil: its own
	OnFiles   *int     // as OnEvent
	First     map[string]string
	Each      []FileSpec // as Files.Each
	Early     bool       // wait for a line on descriptor 3 between catching signals and Run
}

func (o order) env(vars map[string]string) Env {
	layer := Layer{}
	for name, value := range vars {
		layer.Vars = append(layer.Vars, NewVar(name, value))
	}
	inherited := o.Inherited
	if inherited == nil {
		inherited = os.Environ()
	}
	env, _, err := Build(inherited, []Layer{layer}, Policy{Files: Files{Each: o.Each}})
	if err != nil {
		panic(err)
	}
	return env
}

func supervise(args []string) int {
	signals := CatchSignals()
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	var o order
	if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
		panic(err)
	}
	control := bufio.NewScanner(os.NewFile(3, "control"))
	events := json.NewEncoder(os.NewFile(4, "events"))
	if o.Early {
		ctx, cancel := signals.Context(context.Background())
		defer cancel()
		events.Encode(Event{Kind: "catching"})
		go control.Scan()
		<-ctx.Done()
		fmt.Fprintln(os.Stderr, context.Cause(ctx))
		return context.Cause(ctx).(*Error).ExitCode()
	}
	updates := make(chan Env)
	go func() {
		defer close(updates)
		for control.Scan() {
			var vars map[string]string
			if err := json.Unmarshal(control.Bytes(), &vars); err != nil {
				panic(err)
			}
			updates <- o.env(vars)
		}
	}()
	s := o.Supervisor
	s.Command.Argv = lengthen(args[1:])
	s.Signals = signals
	s.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.OnEvent = func(e Event) { events.Encode(e) }
	status, err := s.Run(context.Background(), o.env(o.First), updates)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return err.(*Error).ExitCode()
	}
	status.Exit()
	return 0
}

// lengthen makes the argument "long" one that execve refuses.
func lengthen(argv []string) []string {
	if i := slices.Index(argv, "long"); i >= 0 {
		argv[i] = strings.Repeat("x", 128<<10)
	}
	return argv
}

// becomes executes the command of its arguments.
func becomes(args []string) int {
	env, _, err := Build(os.Environ(), nil, Policy{})
	if err != nil {
		panic(err)
	}
	err = Exec(Command{Argv: lengthen(args)}, env)
	fmt.Fprintln(os.Stderr, err)
	return err.(*Error).ExitCode()
}

// childTTY says what a program at a terminal sees of it: lines that are typed,
// signals and the window's size. Before "ready" it switches echoing off.
func childTTY([]string) int {
	got := make(chan os.Signal, 128)
	signal.Notify(got, syscall.SIGWINCH, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCONT)
	modes, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		panic(err)
	}
	modes.Lflag &^= unix.ECHO
	unix.IoctlSetTermios(0, unix.TCSETS, modes)
	typed := make(chan string)
	go func() {
		for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
			typed <- scanner.Text()
		}
	}()
	say("ready %d %d", os.Getpid(), unix.Getpgrp())
	for {
		select {
		case line := <-typed:
			say("read %s", line)
		case sig := <-got:
			if sig == syscall.SIGTERM {
				return 0
			}
			say("got %s", signalName(sig.(syscall.Signal)))
			if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil && sig == syscall.SIGWINCH {
				say("size %d %d", size.Row, size.Col)
			}
		}
	}
}

// childServe serves HTTP on the first socket it inherited, with TOKEN as the
// answer, until TERM; then it finishes what it has begun. It is ready at once,
// unless TOKEN is "never", or "bad": then it fails.
func childServe([]string) int {
	token := os.Getenv("TOKEN")
	if token == "bad" {
		return 3
	}
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		say("LISTEN_PID is %q, the process is %d", os.Getenv("LISTEN_PID"), os.Getpid())
		return 4
	}
	socket, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		panic(err)
	}
	var open sync.WaitGroup // connections
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, token) }),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done()
			}
		},
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	served := make(chan struct{})
	go func() {
		server.Serve(socket)
		close(served)
	}()
	say("ready %d %s %s %s %s", os.Getpid(), socket.Addr(), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES"), os.Getenv("NOTIFY_SOCKET"))
	if address := os.Getenv("NOTIFY_SOCKET"); address != "" && token != "never" {
		tell(address, "STATUS=x\nREADY=1\n")
	}
	<-term
	// Not Shutdown: it hangs up on connections whose request comes after it.
	socket.Close()
	<-served
	server.SetKeepAlivesEnabled(false)
	open.Wait()
	return 0
}

// tell sends a message to a NOTIFY_SOCKET.
func tell(address, message string) {
	conn, err := net.Dial("unixgram", address)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	conn.Write([]byte(message))
}

// childExit ends with the status of its argument.
func childExit(args []string) int {
	code, _ := strconv.Atoi(args[0])
	return code
}

// childDie dies of the signal of its argument.
func childDie(args []string) int {
	n, _ := strconv.Atoi(args[0])
	syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	dieOf(syscall.Signal(n))
	return 1
}

// childTrap says which signals it gets, and ends with the status of its argument
// on TERM; without one it goes on.
func childTrap(args []string) int {
	got := make(chan os.Signal, manySignals)
	signal.Notify(got, catchable()...)
	say("ready %d %s", os.Getpid(), os.Getenv("TOKEN"))
	for sig := range got {
		say("got %d %s", os.Getpid(), signalName(sig.(syscall.Signal)))
		if sig == syscall.SIGTERM && len(args) > 0 {
			return childExit(args)
		}
	}
	return 0
}

// childFork starts what its arguments name, in its own process group, says both
// pids and waits to be killed.
func childFork(args []string) int {
	p, err := os.StartProcess(args[0], args, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}})
	if err != nil {
		panic(err)
	}
	say("forked %d %d", os.Getpid(), p.Pid)
	return untilKilled()
}

// childOrphan starts so many processes that start one each and end at once. When
// no zombie is left it ends with the status of its second argument.
func childOrphan(args []string) int {
	n, _ := strconv.Atoi(args[0])
	for range n {
		p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "true & exit 0"}, &os.ProcAttr{})
		if err != nil {
			panic(err)
		}
		p.Wait()
	}
	for zombies() > 0 {
		runtime.Gosched()
	}
	return childExit(args[1:])
}

// zombies counts the dead children of PID 1.
func zombies() int {
	n := 0
	for _, p := range processes() {
		if p.parent == 1 && p.state == 'Z' {
			n++
		}
	}
	return n
}

// childEnvironment prints its environment as JSON and ends.
func childEnvironment([]string) int {
	text, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(text)
	return 0
}

// childWants fails with status 3 when the variable TOKEN begins with "bad", or
// when the file of its argument is there. Otherwise it runs until it is killed.
func childWants(args []string) int {
	say("ready %d %s", os.Getpid(), os.Getenv("TOKEN"))
	if strings.HasPrefix(os.Getenv("TOKEN"), "bad") {
		return 3
	}
	if len(args) > 0 {
		if _, err := os.Stat(args[0]); err == nil {
			return 3
		}
	}
	return untilKilled()
}

// childFile says what is in the file of TOKEN, at the start and for each HUP, and
// the variable OTHER. It ends with 0 on TERM, and with 3 for a token that begins
// with "bad".
func childFile([]string) int {
	got := make(chan os.Signal, manySignals)
	signal.Notify(got, catchable()...)
	word := "ready"
	for {
		text, err := os.ReadFile(os.Getenv("TOKEN_FILE"))
		if err != nil {
			panic(err)
		}
		say("%s %d %s %s", word, os.Getpid(), text, os.Getenv("OTHER"))
		if strings.HasPrefix(string(text), "bad") {
			return 3
		}
		sig := <-got
		if sig == syscall.SIGTERM {
			return 0
		}
		word = "got " + signalName(sig.(syscall.Signal))
	}
}

// untilKilled waits for a signal that ends the process. A timer that never comes
// keeps the runtime from calling it a deadlock.
func untilKilled() int {
	<-time.After(math.MaxInt64)
	return 0
}

// say tells the test, and ends a child whose test is gone: the SIGPIPE would be told
// of again, and so on.
func say(format string, args ...any) {
	if _, err := fmt.Printf(format+"\n", args...); err != nil {
		os.Exit(1)
	}
}
