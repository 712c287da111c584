//go:build unix

package scriptcmd

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// terminal NAME COMMAND… starts a command as spawn does, but at a terminal of its
// own, which does not echo. What is shown there goes to NAME.out.
func cmdTerminal(ts *testscript.TestScript, args []string) {
	screen, tty, err := pty.Open()
	ts.Check(err)
	defer tty.Close()
	ts.Check(exec.Command("stty", "-F", tty.Name(), "-echo").Run())
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		defer out.Close()
		_, _ = io.Copy(out, screen) // it fails when nobody has the terminal any more
	}()
	// A signal that is caught here has its default effect in the command, and Ctrl-C
	// is to have one, even if these tests were told to ignore it.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGQUIT)
	defer signal.Stop(caught)
	p := start(ts, args[0], args[1:], func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}, shown)
	p.terminal = screen
}

// type NAME TEXT types at a terminal; ^C in it is Ctrl-C, ^D Ctrl-D, \n is Enter.
func cmdType(ts *testscript.TestScript, args []string) {
	text := strings.NewReplacer("^C", "\x03", "^D", "\x04", `\n`, "\n").Replace(args[1])
	_, err := spawnedOf(ts, args[0]).terminal.WriteString(text)
	ts.Check(err)
}

// Condition tells whether something that scripts need is here. In continuous
// integration a thing that is missing is an error.
//
//	pidns    programs can be run in PID namespaces, by unshare --map-root-user --pid
//	mounts   file systems can be mounted, by unshare --mount
//	inotify  a user namespace can have its own number of inotify instances
//	strace   system calls can be traced, and programs killed at them, by strace
//	caps     programs can be run without capabilities, by setpriv
//	shells   bash, zsh and fish are here
//	manual   mandoc judges and prints manual pages
func Condition(name string) (bool, error) {
	needs := map[string][]string{
		"pidns":   {"unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"},
		"mounts":  {"unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"},
		"inotify": {"unshare", "--map-root-user", "sh", "-c", "echo 0 >/proc/sys/user/max_inotify_instances"},
		"strace":  {"strace", "-o", os.DevNull, "true"},
		"manual":  {"mandoc", "-T", "lint", "-W", "unsupp", "/dev/null"},
		"shells":  {"bash", "-c", "zsh -fc true && fish --no-config -c true"},
		"caps":    {"setpriv", "--inh-caps=-all", "--bounding-set=-all", "true"},
	}[name]
	if needs == nil {
		return false, fmt.Errorf("there is no condition %q", name)
	}
	out, err := exec.Command(needs[0], needs[1:]...).CombinedOutput()
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("what %q stands for is not possible here: %w: %s", name, err, out)
	}
	return err == nil, nil
}
