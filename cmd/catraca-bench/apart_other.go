//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// apart puts a child out of the terminal's reach, whose Ctrl-C is for its parent.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
