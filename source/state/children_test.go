package state

import (
	"testing"
)

func TestChildren(t *testing.T) {
	dir := t.TempDir()
	r, err := Register(dir, Entry{Folder: "dev-00000001", Command: "app"})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Children()
	want := func(what string, child int, digest string, restarts int, quarantined bool) {
		t.Helper()
		got := list(t, dir)[0]
		if got.Child != child || got.Digest != digest || got.Restarts != restarts || got.Quarantined != quarantined {
			t.Errorf("%s: listed %+v, want child %d, digest %q, %d restarts, quarantined %v", what, got, child, digest, restarts, quarantined)
		}
	}
	c.Built("env-1", "set-1")
	want("before a child", 0, "", 0, false)
	c.Started(1, "env-1")
	want("the first child", 1, "set-1", 0, false)
	since := list(t, dir)[0].Since
	c.Built("env-1", "set-2")
	want("a set that makes the same environment", 1, "set-2", 0, false)
	c.Built("env-3", "set-3")
	want("a set that makes another", 1, "set-2", 0, false)
	c.Serves(1)
	if got := list(t, dir)[0].Since; since.IsZero() || !got.Equal(since) {
		t.Errorf("the child's start was %v and is %v", since, got)
	}

	c.Given(1, "env-3")
	want("the first child was given another", 1, "set-3", 0, false)
	c.Given(7, "env-1")
	want("no child of that pid", 1, "set-3", 0, false)

	c.Ended(1)
	want("no child", 0, "set-3", 0, false)
	c.Started(2, "env-3")
	want("another", 2, "set-3", 1, false)
	c.Started(3, "env-1")
	want("one beside it", 2, "set-3", 1, false)
	c.Serves(3)
	want("which takes over", 3, "set-2", 2, false)
	c.Ended(2)
	want("the one before has drained", 3, "set-2", 2, false)
	c.Started(4, "env-3")
	c.Quarantined(true)
	c.Serves(3)
	c.Ended(4)
	want("one that failed beside it", 3, "set-2", 2, true)
	c.Refused()
	if got := list(t, dir)[0]; !got.Refused {
		t.Errorf("the newest set was refused: listed %+v", got)
	}
	c.Built("env-3", "set-3")
	if got := list(t, dir)[0]; got.Refused {
		t.Errorf("a newer set makes an environment: listed %+v", got)
	}
	c.Quarantined(false)
	c.Started(5, "env-3")
	c.Ended(3)
	want("one that is left", 5, "set-3", 3, false)

	if err := r.Remove(); err != nil {
		t.Fatal(err)
	}
	c.Ended(5)
	if got := list(t, dir); got != nil {
		t.Errorf("listed %+v after removing", got)
	}
	var none *Registration
	none.Children().Started(1, "env-1")
}
