package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/storage/durable"
)

func backupCommand(env environment) *cobra.Command {
	return group(env, &cobra.Command{
		Use: "backup", Short: "Make a backup of a running cluster, look into one, or begin anew from one",
		Long: "A backup holds everything: every sale, every account, and the secrets that make the house what it is. Whoever has\n" +
			"the file can sign tickets: keep it as you keep the keys to the safe.",
		Example: "  catraca backup create --config catraca.yaml\n  catraca backup inspect catraca-2026-05-04T12-00-00Z.backup\n" +
			"  catraca backup restore catraca-2026-05-04T12-00-00Z.backup --config catraca.yaml",
	}, backupCreateCommand(env), backupInspectCommand(env), backupRestoreCommand(env))
}

func backupCreateCommand(env environment) *cobra.Command {
	var file, reason string
	r := &remote{}
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a backup while everything goes on",
		Long: "Asks a node for a copy of all it has, checks every byte of it on the way, and writes it to a file that only its\n" +
			"owner may read. Any node will do. It goes over the operator address, as the house or as an owner, and stands in\n" +
			"the audit." + remoteHelp,
		Example: "  catraca backup create --config catraca.yaml -o /backups/tonight.backup",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			return createBackup(c.Context(), env, api, file, reason)
		},
	}
	c.Flags().StringVarP(&file, "out", "o", "", "file to write; empty: catraca-<time>.backup in this folder")
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit")
	r.flags(c)
	return c
}

// createBackup writes the file aside and gives it its name once it is whole, checked and on the disk.
func createBackup(ctx context.Context, env environment, api *client, file, reason string) (err error) {
	if file == "" {
		file = "catraca-" + time.Now().UTC().Format("2006-01-02T15-04-05Z") + ".backup"
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s exists already", file)
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(part))
		}
	}()
	if err := f.Chmod(0o600); err != nil { // one that was left behind may have another mode
		return fmt.Errorf("write backup: %w", err)
	}
	began := time.Now()
	n, err := fetchBackup(ctx, env, api, reason, f)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if err := durable.SyncDir(filepath.Dir(file)); err != nil {
		return err
	}
	env.say("%s bytes in %v. The file is as secret as the key that signs tickets, which is in it.\nLook into it: catraca backup inspect %s",
		thousands(n), time.Since(began).Round(time.Millisecond), file)
	_, err = fmt.Fprintln(env.stdout, filepath.Clean(file))
	return err
}

// backupSilence is how long the server may send nothing.
const backupSilence = time.Minute

// fetchBackup streams a backup to w and checks it on the way.
func fetchBackup(ctx context.Context, env environment, api *client, reason string, w io.Writer) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(backupSilence, func() { cancel(fmt.Errorf("the server has sent nothing for %v", backupSilence)) })
	defer silence.Stop()
	res, err := api.openBackup(ctx, reason)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	counted := &counter{w: w, each: func() { silence.Reset(backupSilence) }}
	b, err := newBackupReader(io.TeeReader(res.Body, counted))
	for n := 1; err == nil; n++ {
		var data io.Reader
		if _, data, err = b.next(); err == nil {
			if env.terminal {
				env.say("shard %d of %d, %s bytes", n, b.head.Shards, thousands(counted.n))
			}
			_, err = io.Copy(io.Discard, data)
		}
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(err, io.EOF):
		return counted.n, nil
	case counted.err != nil:
		return 0, fmt.Errorf("write backup: %w", counted.err)
	case cause != nil:
		return 0, fmt.Errorf("read backup: %w", cause)
	default:
		return 0, fmt.Errorf("read backup: %w", err)
	}
}

// openBackup asks for a backup, again while the server is busy.
func (c *client) openBackup(ctx context.Context, reason string) (*http.Response, error) {
	path := c.base + backupPath
	if reason != "" {
		path += "?reason=" + url.QueryEscape(reason)
	}
	patient := &http.Client{Transport: c.http.Transport} // it takes as long as it takes
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, path, http.NoBody)
		if err != nil {
			return nil, fmt.Errorf("make request: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		req.Header.Set("Accept-Language", "en")
		res, err := patient.Do(req)
		if err != nil {
			return nil, fmt.Errorf("call the server: %w", err)
		}
		if res.StatusCode == http.StatusOK && res.Header.Get("Content-Type") == backupType {
			return res, nil
		}
		data, err := io.ReadAll(io.LimitReader(res.Body, maxToken))
		_ = res.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read the server's answer: %w", err)
		}
		if res.StatusCode == http.StatusServiceUnavailable && try < maxTries && pause(ctx, maxWait/5) {
			continue
		}
		return nil, refusal(res.StatusCode, data)
	}
}

// counter counts what goes through it.
type counter struct {
	w    io.Writer
	n    int64
	err  error
	each func()
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	c.each()
	n, err := c.w.Write(p)
	c.n, c.err = c.n+int64(n), err
	return n, err
}
