package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage/durable"
	"github.com/catraca/catraca/transport/wire"
)

// newEpochs returns, by shard, the entries that begin a new epoch of identifiers: in every sale of a backup, and in the
// directory, from which the sales of events have it that are made later. It is one for all of them, so it is later than
// that of any sale which was made after the backup, and whose event's number is given out again. The entries stand in the
// log right behind the backup, so they come before anything that could be issued, also before what is due by time and
// before the payment provider is asked: whatever was issued after the backup had been made is known to people and to the
// provider, and must not be issued again.
func newEpochs(seen *inspection, raise uint32) (func(shard int) [][]byte, error) {
	now := uint32(seen.Directory.Epoch)
	for _, s := range seen.Sales {
		now = max(now, uint32(s.Epoch))
	}
	to := now + raise
	if to > account.MaxEpoch {
		return nil, fmt.Errorf("numbers are in epoch %d of %d; this house was restored too often", now, account.MaxEpoch)
	}
	entries := map[int][][]byte{}
	// At the machine's own time: nothing runs out by it.
	add := func(shard int, machine uint32, at wire.Time, command []byte) {
		entries[shard] = append(entries[shard], sequencer.EncodeEntry(
			sequencer.Header{Kind: sequencer.KindBatch, Machine: machine, At: int64(at)}, command,
		))
	}
	house := &account.Command{
		Op: account.OpEpoch, Count: to, Reason: "a backup was restored",
		Detail: fmt.Sprintf("made %s by node %s of cluster %s", seen.Time.UTC().Format(time.RFC3339), seen.Node, seen.Cluster),
	}
	if err := house.Check(); err != nil { // it would be refused when nobody looks any more
		return nil, fmt.Errorf("%w: its head: %w", errBackup, err)
	}
	add(directory.Shard, directoryMachine, seen.Directory.At, account.AppendCommand(nil, house))
	for _, s := range seen.Sales {
		add(s.Shard, uint32(s.Event), s.At, sale.AppendCommand(nil, &sale.Command{Op: sale.OpEpoch, Limit: int64(to)}))
	}
	return func(shard int) [][]byte { return entries[shard] }, nil
}

// directoryMachine is the only machine of the directory's shard.
const directoryMachine = 0

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
