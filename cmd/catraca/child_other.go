//go:build !linux

package main

import "os/exec"

// apart does nothing here: the terminal's Ctrl-C ends a child together with its parent.
func apart(*exec.Cmd) {}
