package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// backupPoll is how often a replica that is still applying is looked at.
const backupPoll = 5 * time.Millisecond

// ErrNothing means that a shard has no entry yet, so there is nothing to back up.
var ErrNothing = errors.New("cluster: the shard has nothing yet")

// Backup writes one shard to w as it is now, in the format of its snapshots; [OpenBackup] reads it. It takes a snapshot
// for it and streams that from the disk, so memory stays small and the shard goes on, however slow w is. Any replica
// may be asked. One that has not applied what it knows to be committed is waited for; how far others are it does not
// ask.
func (n *Node) Backup(ctx context.Context, shard int, w io.Writer) error {
	if shard < 0 || shard >= len(n.groups) {
		return fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	if n.closed.Load() {
		return ErrClosed
	}
	g := n.groups[shard]
	if err := g.caughtUp(ctx); err != nil {
		return fmt.Errorf("cluster: back up shard %d: %w", shard, err)
	}
	r, err := g.openFresh(ctx)
	if err != nil {
		return fmt.Errorf("cluster: back up shard %d: %w", shard, err)
	}
	defer func() { _ = r.Close() }() // only read
	if _, err := io.Copy(w, &patient{ctx, r}); err != nil {
		return fmt.Errorf("cluster: back up shard %d: %w", shard, err)
	}
	return nil
}

// caughtUp waits until the pump has what this replica knows to be committed.
func (g *group) caughtUp(ctx context.Context) error {
	for want := g.raft.CommitIndex(); g.fsm.index.Load() < want && g.raft.AppliedIndex() < want; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.node.stop:
			return ErrClosed
		case <-time.After(backupPoll):
		}
	}
	return nil
}

// openFresh takes a snapshot and opens it. The file stays readable when newer ones replace it meanwhile.
func (g *group) openFresh(ctx context.Context) (io.ReadCloser, error) {
	f := g.raft.Snapshot()
	done := make(chan error, 1)
	go func() { done <- f.Error() }() // ends with the snapshot, or with raft
	select {
	case err := <-done:
		if errors.Is(err, raft.ErrNothingNewToSnapshot) {
			return g.openNewest()
		}
		if err != nil {
			return nil, err
		}
		_, r, err := f.Open()
		return r, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *group) openNewest() (io.ReadCloser, error) {
	metas, err := g.snaps.List()
	if err != nil {
		return nil, err
	}
	if len(metas) == 0 {
		return nil, ErrNothing
	}
	_, r, err := g.snaps.Open(metas[0].ID)
	return r, err
}

// patient reads until its context ends.
type patient struct {
	ctx context.Context //nolint:containedctx // an io.Reader gets none by its call
	r   io.Reader
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// ShardBackup is one shard as [Node.Backup] wrote it: what a Pump's Restore reads, with every checksum looked at on the
// way. io.EOF means that all of it was there.
type ShardBackup struct {
	Shard int
	Index uint64 // the last entry in it
	Term  uint64 // and its term

	r frameReader
}

// OpenBackup reads the head of a shard's backup. Errors, also those of Read, wrap [ErrSnapshot] when the bytes are
// damaged or cut off.
func OpenBackup(r io.Reader) (*ShardBackup, error) {
	c, err := readCut(r)
	if err != nil {
		return nil, err
	}
	return &ShardBackup{Shard: int(c.shard), Index: c.index, Term: c.term, r: frameReader{r: r}}, nil
}

// Read implements io.Reader.
func (b *ShardBackup) Read(p []byte) (int, error) { return b.r.Read(p) }
