package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/catraca/catraca/storage/durable"
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
	return token, durable.WriteFile(path, []byte(token+"\n"))
}
