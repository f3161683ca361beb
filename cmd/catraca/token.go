package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tokenName is the file in the data directory by which commands on this machine act as the house. Whoever may read it
// owns the data anyway.
const tokenName = "admin.token"

// houseToken reads the token of this node, and makes it at the first start: 256 bits, for the node's user alone.
func houseToken(dir string) (string, error) {
	path := filepath.Join(dir, tokenName)
	token, err := readToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	// Written beside and then renamed: a crash leaves no half token under the name.
	if err := writeSecret(path+".new", token); err != nil {
		return "", err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return token, nil
}
