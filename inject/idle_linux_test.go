package inject

import (
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// resident is what the system counts for this process under that key, in KiB.
func resident(t *testing.T, key string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Skipf("this kernel tells no %s", key)
	return 0
}

// Idle gives back what was allocated and is garbage now, and the program's pages.
func TestIdle(t *testing.T) {
	// A collection that finds it all in use would be what Idle goes by.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	garbage := make([][]byte, 64)
	for i := range garbage {
		garbage[i] = make([]byte, 1<<20)
		for j := 0; j < len(garbage[i]); j += 4096 {
			garbage[i][j] = 1
		}
	}
	anonymous := resident(t, "RssAnon")
	if anonymous < 64<<10 {
		t.Fatalf("%d KiB are resident, 64 MiB were written", anonymous)
	}
	clear(garbage)
	file := resident(t, "RssFile")
	Idle()
	if after := resident(t, "RssAnon"); after > anonymous-32<<10 {
		t.Errorf("%d KiB of memory are left of %d", after, anonymous)
	}
	// The system maps some pages again at once, more than are needed.
	least := math.MaxInt
	for range 8 {
		forgetProgram(true)
		least = min(least, resident(t, "RssFile"))
	}
	if least >= file {
		t.Errorf("%d KiB of the program are left of %d", least, file)
	}
	if len(program()) == 0 {
		t.Error("the program is not found")
	}
}

func TestReadOnly(t *testing.T) {
	const maps = `00400000-00a21000 r-xp 00000000 fe:00 9987479                            /opt/my app/infisync
00a21000-00f2d000 r--p 00621000 fe:00 9987479                            /opt/my app/infisync
00f2d000-00fb0000 rw-p 00b2d000 fe:00 9987479                            /opt/my app/infisync
00fb0000-02ff3000 rw-p 00000000 00:00 0
3e1224000000-3e1224400000 rw-p 00000000 00:00 0                          [anon: Go: heap]
7f2df4000000-7f2df4021000 r--p 00000000 fe:00 42                         /opt/my app/infisync.so
7ffeb8325000-7ffeb8346000 rw-p 00000000 00:00 0                          [stack]
`
	if got, want := readOnly([]byte(maps), "/opt/my app/infisync"), []span{{0x400000, 0xa21000, true}, {0xa21000, 0xf2d000, false}}; !slices.Equal(got, want) {
		t.Errorf("readOnly = %v, want %v", got, want)
	}
	if got := readOnly([]byte(maps), "/opt/infisync"); got != nil {
		t.Errorf("readOnly of another program = %v", got)
	}
}
