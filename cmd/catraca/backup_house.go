package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage/durable"
)

const (
	ticketKeyName = "ticket.key"
	houseIDName   = "house.id"
)

// houseFiles are the secrets in the data directory that make a house the same one after a restore: the key that signs
// tickets, the name under which the payment provider knows it, and the token that the digests of repeated requests are
// keyed with.
func houseFiles() []string { return []string{ticketKeyName, houseIDName, tokenName} }

// maxHouseFile bounds a secret's file in bytes.
const maxHouseFile = 16 << 10

// ticketKeyPath is where the key is that signs tickets.
func ticketKeyPath(cfg config.Config) string {
	if cfg.Tickets.KeyFile != "" {
		return cfg.Tickets.KeyFile
	}
	return filepath.Join(cfg.Node.Data, ticketKeyName)
}

// houseID is the name under which the payment provider knows this house, so that its payments are never those of
// another one. It outlives the cluster: a restored one goes on with it. A house that has none of its own has the name of
// its first cluster.
func houseID(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, houseIDName))
	if errors.Is(err, fs.ErrNotExist) {
		return identity(dir)
	}
	if err != nil {
		return "", fmt.Errorf("read house id: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return "", fmt.Errorf("read house id: %s is empty", filepath.Join(dir, houseIDName))
	}
	return id, nil
}

// houseSecrets reads the secrets of this node's house, by file name.
func houseSecrets(cfg config.Config) (map[string][]byte, error) {
	out := map[string][]byte{}
	id, err := houseID(cfg.Node.Data)
	if err != nil {
		return nil, err
	}
	out[houseIDName] = []byte(id + "\n")
	for _, name := range []string{ticketKeyName, tokenName} {
		path := filepath.Join(cfg.Node.Data, name)
		if name == ticketKeyName {
			path = ticketKeyPath(cfg)
		}
		if out[name], err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("read secrets of the house: %w", err)
		}
		if len(out[name]) > maxHouseFile {
			return nil, fmt.Errorf("read secrets of the house: %s has %d bytes, at most %d", path, len(out[name]), maxHouseFile)
		}
	}
	return out, nil
}

// writeHouse puts the secrets of a backup where a node looks for them. One that is there already must be the same.
func writeHouse(cfg config.Config, secrets map[string][]byte) error {
	for _, name := range houseFiles() {
		data, ok := secrets[name]
		if !ok || len(data) == 0 || len(data) > maxHouseFile {
			return fmt.Errorf("%w: it has no good %s", errBackup, name)
		}
		path := filepath.Join(cfg.Node.Data, name)
		if name == ticketKeyName {
			path = ticketKeyPath(cfg)
		}
		switch old, err := os.ReadFile(path); {
		case err == nil && slices.Equal(old, data):
			continue
		case err == nil:
			return fmt.Errorf("%s exists and is not the one of the backup; move it away first", path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("write secrets of the house: %w", err)
		}
		if err := durable.WriteFile(path, data); err != nil {
			return err
		}
	}
	return nil
}
