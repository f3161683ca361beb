package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage"
	"github.com/catraca/catraca/storage/durable"
)

const (
	// cleanName says that the last stop was clean; the next start removes it.
	cleanName = "stopped-cleanly"
	// checkTime bounds the look at the data before a start. What it has not seen by then is looked at while the node
	// serves, as ever.
	checkTime = 2 * time.Minute
	// checkTell is how often people are told how far it is.
	checkTell = 2 * time.Second

	storageCheckName = "storage-check"
)

// checkData reads the whole data of a node in a process of its own before the node starts, because a damaged file can
// take the process that reads it along. Damage marks the data: what then happens is the cluster's decision.
func checkData(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	dir := raftDir(cfg)
	if _, marked := storage.Marked(dir); marked || cfg.Node.Check == "never" {
		return nil
	}
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(cfg.Node.Data, cleanName)); err == nil && cfg.Node.Check != "always" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("check the data: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	began := time.Now()
	cmd := exec.CommandContext(limited, self, storageCheckName, "--dir", dir, "--node", cfg.Node.ID, "--shards", strconv.Itoa(cfg.Cluster.Shards))
	cmd.Env = append(os.Environ(), "GOTRACEBACK=single")
	cmd.Stdout = &checkProgress{log: log, told: began}
	cmd.WaitDelay = time.Second
	err = storage.CheckInChild(cmd, dir)
	_, damaged := errors.AsType[*storage.DamageError](err)
	switch {
	case err == nil:
		log.Info("data checked", slog.Duration("took", time.Since(began).Round(time.Millisecond)))
	case damaged:
		log.Error("data is damaged", slog.Any("error", err))
		return storage.Mark(dir, err.Error())
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		log.Warn("data not all checked before the start; the rest is looked at while the node serves", slog.Duration("after", checkTime))
	case errors.Is(err, storage.ErrInUse), errors.Is(err, storage.ErrForeign):
		return err
	default:
		log.Warn("data not checked", slog.Any("error", err)) // starting looks at what it needs itself
	}
	return nil
}

// checkProgress tells how far the child is: it writes a line of two numbers now and then.
type checkProgress struct {
	log  *slog.Logger
	told time.Time
	rest string
}

// Write implements io.Writer.
func (p *checkProgress) Write(b []byte) (int, error) {
	text := p.rest + string(b)
	at := strings.LastIndexByte(text, '\n')
	if p.rest = text[at+1:]; len(p.rest) > 100 {
		p.rest = ""
	}
	if at < 0 || time.Since(p.told) < checkTell {
		return len(b), nil
	}
	line := text[:at]
	var done, total int64
	if _, err := fmt.Sscan(line[strings.LastIndexByte(line, '\n')+1:], &done, &total); err == nil && total > 0 {
		p.told = time.Now()
		p.log.Info("checking the data", slog.Int64("percent", min(100, 100*done/total)), slog.Int64("bytes", total))
	}
	return len(b), nil
}

// storageCheckCommand is the child. It is not for people.
func storageCheckCommand(env environment) *cobra.Command {
	var dir, name string
	var shards int
	c := &cobra.Command{
		Use: storageCheckName, Short: "Read the data of a node and say whether it is whole", Hidden: true, Args: exactly(),
		Example: "  catraca storage-check --dir /var/lib/catraca/raft --node n1 --shards 16",
		RunE: func(c *cobra.Command, _ []string) error {
			var told time.Time
			err := storage.Check(c.Context(), storage.Options{
				Dir: dir, NodeID: name, Shards: shards, Logger: slog.New(slog.DiscardHandler),
				Progress: func(done, total int64) {
					if time.Since(told) > checkTell/4 {
						told = time.Now()
						_, _ = fmt.Fprintln(env.stdout, done, total) // who does not read on does not care
					}
				},
			})
			if err == nil {
				return nil
			}
			env.say("%v", err)
			return &statusError{storage.CheckStatus(err)}
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder of the log file")
	c.Flags().StringVar(&name, "node", "", "the node's name")
	c.Flags().IntVar(&shards, "shards", 0, "shards it has")
	return c
}

// statusError ends the process with a status, and has been said.
type statusError struct{ code int }

// Error implements error.
func (e *statusError) Error() string { return "status " + strconv.Itoa(e.code) }

// markClean says to the next start that this stop was clean.
func markClean(cfg config.Config) error {
	return durable.WriteFile(filepath.Join(cfg.Node.Data, cleanName), []byte("nothing was on its way\n"))
}

// unmarkClean takes it back before anything is written.
func unmarkClean(cfg config.Config) error {
	path := filepath.Join(cfg.Node.Data, cleanName)
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return durable.SyncDir(filepath.Dir(path))
}
