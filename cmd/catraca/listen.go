package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage/durable"
)

// listen opens a listener. Without a certificate only this machine is served: passwords and tickets travel on it.
func listen(o config.Listener, name string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s.listen: %w", name, err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if o.CertFile == "" && (!ok || !tcp.IP.IsLoopback()) {
		_ = l.Close() // nothing was accepted
		return nil, fmt.Errorf("listen on %s.listen: %s is not a loopback address, so %s.cert_file and %s.key_file are needed", name, o.Listen, name, name)
	}
	return l, nil
}

const clusterIDName = "cluster.id"

// identity of the installation, made at the first start: it keeps the payment provider's keys of two
// installations apart.
func identity(dir string) (string, error) {
	path := filepath.Join(dir, clusterIDName)
	b, err := os.ReadFile(path)
	if err == nil {
		if id := strings.TrimSpace(string(b)); id != "" {
			return id, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read cluster id: %w", err)
	}
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails
	id := hex.EncodeToString(raw)
	return id, durable.WriteFile(path, []byte(id+"\n")) // the engine's data will bear it
}
