package record

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// Here describes this process and its machine. What cannot be found out is empty. Server, Nodes and Agents are for the
// caller to say.
func Here() Environment {
	e := Environment{Go: runtime.Version(), Cores: runtime.GOMAXPROCS(0), Command: strings.Join(os.Args, " ")}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			switch {
			case s.Key == "vcs.revision":
				e.Commit = s.Value + e.Commit
			case s.Key == "vcs.modified" && s.Value == "true":
				e.Commit += "+changes"
			}
		}
	}
	e.CPU = line("/proc/cpuinfo", "model name")
	if kb, err := strconv.ParseInt(strings.TrimSuffix(line("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		e.Memory = kb << 10
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		e.Kernel = strings.TrimSpace(string(b))
	}
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		e.OpenFiles = int64(min(l.Cur, 1<<62))
	}
	return e
}

// line returns what a file of the kernel says of a name, in its first line "name : value".
func line(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
