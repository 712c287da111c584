package vault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"infisync/source"
)

// roleVariable makes the test binary another process that writes vaults.
const roleVariable = "VAULT_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := act(role, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// act does what the other process is there for: "add" sets the local values
// NAME_0 to NAME_24; "count" raises every value by one, for ever, and prints the
// number after each write; "once" does that once, in silence.
func act(role, dir, name string) error {
	key, err := DeriveKey(source.NewValue("0123456789abcdef0123456789abcdef"))
	if err != nil {
		return err
	}
	for i := 0; role == "count" || i < 25; i++ {
		next := 0
		_, err := Update(context.Background(), dir, key, scopeA, func(c *Contents) error {
			if role == "add" {
				c.SetLocal(fmt.Sprintf("%s_%d", name, i), source.NewValue(name), "test", start)
				return nil
			}
			next, err = counted(*c)
			next++
			c.ApplyPull(counting(next), time.Now())
			return err
		})
		if err != nil {
			return err
		}
		switch role {
		case "once":
			return nil
		case "count":
			fmt.Println(next)
		}
	}
	return nil
}

const countedNames = 500

// counting is a set in which every value is n.
func counting(n int) source.Set {
	var secrets []source.Secret
	for i := range countedNames {
		secrets = append(secrets, source.Secret{Name: fmt.Sprintf("NAME_%03d", i), Value: source.NewValue(strconv.Itoa(n))})
	}
	return source.NewSet(secrets...)
}

// counted returns the n of contents made by counting, 0 for none, and an error
// when they are a mixture.
func counted(c Contents) (int, error) {
	if c.Set.Len() == 0 {
		return 0, nil
	}
	first, _ := c.Set.Get("NAME_000")
	n, err := strconv.Atoi(first.Value.Reveal())
	if err == nil && !c.Set.Equal(counting(n)) {
		err = errors.New("contents are a mixture")
	}
	return n, err
}

func helper(t *testing.T, role, dir, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir, name)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

func helperKey(t *testing.T) Key {
	t.Helper()
	key, err := DeriveKey(source.NewValue("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Of 200 goroutines and four other processes that write at once, nobody's
// update is lost.
func TestConcurrentUpdates(t *testing.T) {
	dir, key := t.TempDir(), helperKey(t)
	var writers sync.WaitGroup
	for i := range 4 {
		cmd := helper(t, "add", dir, fmt.Sprint("P", i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		writers.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 200 {
		writers.Go(func() {
			aside, err := Update(t.Context(), dir, key, scopeA, func(c *Contents) error {
				c.SetLocal(fmt.Sprint("G_", i), source.NewValue("x"), "test", start)
				return nil
			})
			if err != nil || aside != "" {
				t.Errorf("Update = %q, %v", aside, err)
			}
		})
	}
	writers.Wait()
	got, err := Open(Path(dir, key, scopeA), key, scopeA)
	if err != nil {
		t.Fatal(err)
	}
	if want := 200 + 4*25; len(got.Local) != want {
		t.Errorf("%d of %d updates are in the vault", len(got.Local), want)
	}
}

// A process killed while it writes leaves the vault before or the one after,
// whole, and what else it leaves is swept by the next.
func TestKilledWhileWriting(t *testing.T) {
	dir, key := t.TempDir(), helperKey(t)
	folder := filepath.Dir(Path(dir, key, scopeA))
	kills, leftovers := 20, 0
	if os.Getenv("INFISYNC_SOAK") != "" {
		kills = 500
	}
	for round := range kills {
		cmd := helper(t, "count", dir, "")
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(output)
		written := 0
		for range 1 + round%3 {
			if _, err := fmt.Fscanln(lines, &written); err != nil {
				t.Fatal(err)
			}
		}
		if round%2 == 1 {
			// Most of its time it does not write yet.
			for seen := glimpse(folder); glimpse(folder) == seen; {
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for err == nil { // what it printed before it died
			_, err = fmt.Fscanln(lines, &written)
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		cmd.Wait()

		contents, err := Open(Path(dir, key, scopeA), key, scopeA)
		if err != nil {
			t.Fatal(err)
		}
		n, err := counted(contents)
		if err != nil || n < written || n > written+1 {
			t.Fatalf("the vault holds %d after %d was written: %v", n, written, err)
		}
		leftovers += len(names(t, folder)) - 1
	}
	update(t, dir, key, scopeA, func(*Contents) {})
	if got := names(t, folder); len(got) != 1 {
		t.Errorf("not swept: %q", got)
	}
	t.Logf("%d kills left %d unfinished files", kills, leftovers)
}

// glimpse is what shows in a folder of a write to a file in it.
func glimpse(folder string) string {
	var seen strings.Builder
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			fmt.Fprintln(&seen, info.Name(), info.Size(), info.ModTime())
		}
	}
	return seen.String()
}
