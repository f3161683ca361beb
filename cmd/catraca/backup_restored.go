package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/config"
)

// restoredName marks a data directory that was made from a backup and has not been served from yet.
const restoredName = "restored.json"

// restoredMark says what is to be done before such a node is ready.
type restoredMark struct {
	Cluster string                  `json:"cluster"` // whose backup it was
	Time    time.Time               `json:"time"`    // when that was made
	Epochs  map[sale.EventID]uint32 `json:"epochs"`  // of identifiers that each sale begins
}

func (m restoredMark) write(dir string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("mark data directory: %w", err)
	}
	return writeSynced(filepath.Join(dir, restoredName), append(b, '\n'))
}

func (restoredMark) remove(dir string) error {
	path := filepath.Join(dir, restoredName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unmark data directory: %w", err)
	}
	return syncParent(path)
}

// readRestored reads the mark; there is none in most directories.
func readRestored(dir string) (m restoredMark, marked bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, restoredName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, false, fmt.Errorf("read %s: %w", restoredName, err)
	}
	return m, true, nil
}

// refuseHalfRestored keeps a node from founding an empty cluster where a restore was cut short.
func refuseHalfRestored(cfg config.Config) error {
	_, marked, err := readRestored(cfg.Node.Data)
	if err != nil || !marked {
		return err
	}
	if _, err := os.Lstat(raftDir(cfg)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the restore of a backup into %s was cut short; run `catraca backup restore` again", cfg.Node.Data)
	}
	return nil
}

// finishRestore begins a new epoch of identifiers in every sale of a restored cluster, before anything is sold: whatever
// was issued after the backup had been made is known to people and to the payment provider, and must not be issued
// again. Killed in between, the next start does the rest; done twice it is as done once.
func (n *node) finishRestore(ctx context.Context) error {
	m, marked, err := readRestored(n.cfg.Node.Data)
	if err != nil || !marked {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Epochs)) {
		if err := raiseEpoch(ctx, n.events, id, m.Epochs[id]); err != nil {
			return fmt.Errorf("finish restore of event %d: %w", id, err)
		}
	}
	n.log.Info("restored", slog.String("from_cluster", m.Cluster), slog.Time("backup_time", m.Time), slog.Int("sales", len(m.Epochs)))
	return m.remove(n.cfg.Node.Data)
}

// raiseEpoch tries until the sale is in the epoch, or cannot be. The node leads alone, so it soon is.
func raiseEpoch(ctx context.Context, events *event.Service, id sale.EventID, to uint32) error {
	for {
		res, err := events.Submit(ctx, id, &sale.Command{Op: sale.OpEpoch, Limit: int64(to)})
		switch {
		case err == nil && (res.Refusal == sale.Done || res.Refusal == sale.RefusedState && res.Number >= to):
			return nil
		case err == nil:
			return fmt.Errorf("epoch %d is refused: %v", to, res.Refusal)
		case errors.Is(err, event.ErrNoEvent) || ctx.Err() != nil:
			return err
		}
		if !pause(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
}
