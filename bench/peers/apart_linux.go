package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// apart lets the child end with this program, and gives it no more rights than it needs: PostgreSQL does not start as
// root.
func apart(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	uid, gid, err := owner()
	if err != nil || uid == os.Geteuid() {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// owner is who the servers run as: this user, or somebody without rights instead of root.
func owner() (uid, gid int, err error) {
	if os.Geteuid() != 0 {
		return os.Geteuid(), os.Getegid(), nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return 0, 0, fmt.Errorf("find a user without rights: %w", err)
		}
	}
	if uid, err = strconv.Atoi(who.Uid); err == nil {
		gid, err = strconv.Atoi(who.Gid)
	}
	return uid, gid, err
}

// folder makes a temporary folder that the servers may write to.
func folder() (string, error) {
	dir, err := os.MkdirTemp("", "catraca-peer-")
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	uid, gid, err := owner()
	if err == nil {
		err = os.Chown(dir, uid, gid)
	}
	if err != nil {
		_ = os.Remove(dir) // it is empty
		return "", fmt.Errorf("give the folder away: %w", err)
	}
	return dir, nil
}
