package storage

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// warnFastCommit looks for the one file system setting that is known to lose what was flushed: ext4's fast commits
// before Linux 5.17 (bbolt issue 562). The kernel does not say whether a release of the 5.15 or 5.10 series has the
// cure, so those are warned about, too.
func warnFastCommit(o *Options) {
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return
	}
	if device, ok := fastCommit(os.DirFS("/"), dir); ok {
		o.Logger.Warn("ext4 fast commits lose flushed data on this kernel when power fails; switch the feature off, or use linux 5.17 or later",
			"path", o.Dir, "device", device)
	}
}

// fastCommit says whether dir is on an ext4 file system that has made fast commits, under a kernel that should not.
func fastCommit(root fs.FS, dir string) (device string, ok bool) {
	release, err := fs.ReadFile(root, "proc/sys/kernel/osrelease")
	if err != nil || !before517(string(release)) {
		return "", false
	}
	if device = ext4Device(root, dir); device == "" {
		return "", false
	}
	base := path.Join("proc/fs/ext4", path.Base(device))
	if options, err := fs.ReadFile(root, path.Join(base, "options")); err == nil {
		for line := range strings.Lines(string(options)) {
			if strings.TrimSpace(line) == "fast_commit" {
				return device, true
			}
		}
	}
	info, err := fs.ReadFile(root, path.Join(base, "fc_info")) // there without the feature, too, and then counts nothing
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(info)) {
		var commits int
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "%d commits", &commits); n == 1 && commits > 0 {
			return device, true
		}
	}
	return "", false
}

func before517(release string) bool {
	part := strings.SplitN(release, ".", 3)
	if len(part) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(part[0])
	minor, err2 := strconv.Atoi(strings.TrimRightFunc(part[1], func(r rune) bool { return r < '0' || r > '9' }))
	return err1 == nil && err2 == nil && (major < 5 || major == 5 && minor < 17)
}

// ext4Device finds what dir is mounted from, empty when it is not ext4.
func ext4Device(root fs.FS, dir string) string {
	mounts, err := fs.ReadFile(root, "proc/self/mounts")
	if err != nil {
		return ""
	}
	best, device := "", ""
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`).Replace(f[1])
		if dir != at && !strings.HasPrefix(dir, strings.TrimSuffix(at, "/")+"/") || len(at) < len(best) {
			continue
		}
		if best, device = at, ""; f[2] == "ext4" {
			device = f[0]
		}
	}
	return device
}
