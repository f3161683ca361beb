package main

import (
	"os/exec"
	"syscall"
)

// apart puts a child out of the terminal's reach, whose Ctrl-C is for its parent, and lets it end with its parent,
// whatever that dies of.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
