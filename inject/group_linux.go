package inject

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// onlyDead tells whether all that is left of the group are zombies, which their
// own parents have not waited for. It reads /proc; without one it is false.
func (g group) onlyDead() bool {
	all := processes()
	for _, p := range all {
		if p.group == g.pid && p.state != 'Z' && p.state != 'X' {
			return false
		}
	}
	return len(all) > 0
}

// descendantsInGroup lists the processes of this one's process group that
// descend from it and live. Without /proc it is the child alone, which is given
// as 0 when it has ended.
func descendantsInGroup(child int) []int {
	all := processes()
	if len(all) == 0 && child != 0 {
		return []int{child}
	}
	parents := make(map[int]int, len(all)) // pid → its parent's
	for _, p := range all {
		parents[p.pid] = p.parent
	}
	self, group := os.Getpid(), syscall.Getpgrp()
	var out []int
	for _, p := range all {
		if p.group != group || p.state == 'Z' || p.state == 'X' {
			continue
		}
		ancestor := p.parent
		for ancestor > 1 && ancestor != self {
			ancestor = parents[ancestor]
		}
		if ancestor == self {
			out = append(out, p.pid)
		}
	}
	return out
}

// A procStat is what /proc/PID/stat tells of a process.
type procStat struct {
	pid, parent, group int
	state              byte
}

// processes returns all processes that can be seen.
func processes() []procStat {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []procStat
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended since
		}
		if stat, ok := parseStat(pid, text); ok {
			out = append(out, stat)
		}
	}
	return out
}

// parseStat reads "PID (NAME) STATE PARENT GROUP …". The name may hold blanks and
// parentheses, so what follows its last ")" counts.
func parseStat(pid int, text []byte) (procStat, bool) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return procStat{}, false
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) < 3 {
		return procStat{}, false
	}
	parent, err1 := strconv.Atoi(string(fields[1]))
	group, err2 := strconv.Atoi(string(fields[2]))
	return procStat{pid: pid, parent: parent, group: group, state: fields[0][0]}, err1 == nil && err2 == nil
}
