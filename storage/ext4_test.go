package storage

import (
	"testing"
	"testing/fstest"
)

func TestFastCommit(t *testing.T) {
	const mounts = "proc /proc proc rw 0 0\n/dev/vda1 / ext4 rw,relatime 0 0\n/dev/sdb1 /srv/my\\040data ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n"
	const idle = "fc stats:\n0 commits\n0 ineligible\n"
	for _, c := range []struct {
		name, release, dir, options, info, want string
	}{
		{"used", "5.15.0-91-generic\n", "/srv/my data/raft", "rw\n", "fc stats:\n12 commits\n", "/dev/sdb1"},
		{"option", "5.10.7\n", "/srv/my data/raft", "rw\nfast_commit\n", idle, "/dev/sdb1"},
		{"not used", "5.15.0\n", "/srv/my data/raft", "rw\n", idle, ""},
		{"cured", "5.17.0\n", "/srv/my data/raft", "rw\nfast_commit\n", "fc stats:\n12 commits\n", ""},
		{"new", "6.18.44-x\n", "/srv/my data/raft", "rw\nfast_commit\n", "fc stats:\n12 commits\n", ""},
		{"other disk", "5.15.0\n", "/srv/my database", "rw\nfast_commit\n", idle, ""},
		{"no ext4", "5.15.0\n", "/tmp/x", "rw\nfast_commit\n", idle, ""},
		{"strange release", "beta\n", "/srv/my data/raft", "rw\nfast_commit\n", idle, ""},
	} {
		root := fstest.MapFS{
			"proc/sys/kernel/osrelease": {Data: []byte(c.release)},
			"proc/self/mounts":          {Data: []byte(mounts)},
			"proc/fs/ext4/sdb1/options": {Data: []byte(c.options)},
			"proc/fs/ext4/sdb1/fc_info": {Data: []byte(c.info)},
			"proc/fs/ext4/vda1/options": {Data: []byte("rw\n")},
		}
		if device, ok := fastCommit(root, c.dir); device != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s: %q, %t, want %q", c.name, device, ok, c.want)
		}
	}
	if _, ok := fastCommit(fstest.MapFS{}, "/"); ok {
		t.Error("no /proc and yet a fault")
	}
	if before517("4.19.0") != true || before517("5.16.20+") != true || before517("5") != false {
		t.Error("releases are misread")
	}
}
