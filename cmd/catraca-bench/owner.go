package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

const ownerEmail = "dona@catraca.example"

// makeOwner makes an account that may do everything, and signs it in.
func makeOwner(ctx context.Context, binary, dir, file, base string) (token string, err error) {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	password := hex.EncodeToString(raw)
	path := filepath.Join(dir, "owner.password")
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the owner's password: %w", err)
	}
	if _, err := once(ctx, binary, "account", "add", "--config", file, "--role", "owner", "--name", "Dona", "--password-file", path, ownerEmail); err != nil {
		return "", err
	}
	var s wire.Session
	if err := ask(ctx, http.MethodPost, base+"/api/v1/sessions", "", wire.SignIn{Email: ownerEmail, Password: password, Token: true}, &s); err != nil {
		return "", fmt.Errorf("sign the owner in: %w", err)
	}
	return s.Token, nil
}

// ask does one call as JSON.
func ask(ctx context.Context, method, address, token string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	data, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s %.300s", method, req.URL.Path, res.Status, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
