package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage/durable"
)

// newEpochs returns, by shard, the entries that begin a new epoch of identifiers in every sale of a backup. They stand
// in the log right behind it, so they come before anything that could be issued, also before what is due by time and
// before the payment provider is asked: whatever was issued after the backup had been made is known to people and to the
// provider, and must not be issued again.
func newEpochs(seen *inspection, raise uint32) (func(shard int) [][]byte, error) {
	entries := map[int][][]byte{}
	for _, s := range seen.Sales {
		to := uint32(s.Epoch) + raise
		if to > sale.MaxEpoch {
			return nil, fmt.Errorf("sale %s: its numbers are in epoch %d of %d; it was restored too often", s.Slug, s.Epoch, sale.MaxEpoch)
		}
		// At the sale's own time: nothing runs out by it.
		entries[s.Shard] = append(entries[s.Shard], sequencer.EncodeEntry(
			sequencer.Header{Kind: sequencer.KindBatch, Machine: uint32(s.Event), At: int64(s.At)},
			sale.AppendCommand(nil, &sale.Command{Op: sale.OpEpoch, Limit: int64(to)}),
		))
	}
	return func(shard int) [][]byte { return entries[shard] }, nil
}

// restoringName marks a data directory that a backup is being restored into.
const restoringName = "restoring"

func beginRestore(cfg config.Config) error {
	return durable.WriteFile(filepath.Join(cfg.Node.Data, restoringName), []byte("run catraca backup restore again\n"))
}

func endRestore(cfg config.Config) error {
	path := filepath.Join(cfg.Node.Data, restoringName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end restore: %w", err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// refuseHalfRestored keeps a node from founding an empty cluster where a restore was cut short.
func refuseHalfRestored(cfg config.Config) error {
	switch _, err := os.Lstat(filepath.Join(cfg.Node.Data, restoringName)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the data directory: %w", err)
	}
	if _, err := os.Lstat(raftDir(cfg)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the restore of a backup into %s was cut short; run `catraca backup restore` again", cfg.Node.Data)
	}
	return endRestore(cfg) // only its last step was missing
}
