//go:build !linux

package main

import (
	"fmt"
	"os"
	"os/exec"
)

// apart can do nothing here: the servers end when this program ends in good order.
func apart(*exec.Cmd) error { return nil }

// folder makes a temporary folder for the servers.
func folder() (string, error) {
	dir, err := os.MkdirTemp("", "catraca-peer-")
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	return dir, nil
}
