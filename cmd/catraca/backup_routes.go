package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/transport/wire"
)

const (
	backupPath = "/api/v1/admin/backup"
	backupType = "application/vnd.catraca.backup"
	// backupStall is how long a reader may take none of it before it is given up.
	backupStall = 30 * time.Second
)

// backupHandler streams a backup to the house itself or to an owner, on the operator address alone: whoever has it has
// every account and the key that signs tickets. One at a time is enough.
func (n *node) backupHandler(token string) http.Handler {
	want := sha256.Sum256([]byte(token))
	one := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, problem := n.backupActor(r, want)
		if problem != nil {
			problem.Write(w)
			return
		}
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		default:
			p := wire.NewProblem(wire.Busy, "")
			p.RetryAfter = 5000
			p.Write(w)
			return
		}
		if !n.ready() {
			p := wire.NewProblem(wire.Busy, "")
			p.RetryAfter = 1000
			p.Write(w)
			return
		}
		if err := n.auditBackup(r.Context(), actor, r.URL.Query().Get("reason")); err != nil {
			n.log.Error("backup not booked, and so not made", slog.Any("error", err))
			p := wire.NewProblem(wire.Busy, "")
			p.RetryAfter = 1000
			p.Write(w)
			return
		}
		n.streamBackup(w, r, actor)
	})
}

// backupActor tells who asks; 0 is the house itself.
func (n *node) backupActor(r *http.Request, want [32]byte) (account.ID, *wire.Problem) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // a cookie would come with any page
		p := wire.NewProblem(wire.Unauthenticated, "")
		return 0, p
	}
	got := sha256.Sum256([]byte(strings.TrimSpace(given)))
	if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
		return 0, nil
	}
	p, err := n.api.Person(r)
	if err != nil {
		return 0, wire.NewProblem(wire.Unauthenticated, "")
	}
	if p.Role != account.RoleOwner {
		return 0, wire.NewProblem(wire.Forbidden, p.Lang)
	}
	return p.Account, nil
}

// auditBackup books who took everything away, before it goes.
func (n *node) auditBackup(ctx context.Context, actor account.ID, reason string) error {
	if len(reason) > account.MaxReason {
		reason = ""
	}
	_, err := n.directory.Submit(ctx, &account.Command{
		Op: account.OpAudit, Actor: actor, Action: "backup.create", Target: "cluster", Reason: reason,
	})
	return err
}

func (n *node) streamBackup(w http.ResponseWriter, r *http.Request, actor account.ID) {
	began := time.Now()
	w.Header().Set("Content-Type", backupType)
	w.Header().Set("Cache-Control", "no-store")
	to := &pacedWriter{w: w, control: http.NewResponseController(w)}
	if err := n.writeBackup(r.Context(), to); err != nil {
		n.log.Warn("backup not made", slog.Any("error", err))
		panic(http.ErrAbortHandler) // the reader must not take it for whole
	}
	n.log.Info("backup made", slog.Uint64("actor", uint64(actor)), slog.Int64("bytes", to.bytes), slog.Float64("seconds", time.Since(began).Seconds()))
}

// writeBackup writes every shard. The directory comes last: then it knows every account that the sales speak of.
func (n *node) writeBackup(ctx context.Context, w *pacedWriter) error {
	secrets, err := houseSecrets(n.cfg)
	if err != nil {
		return err
	}
	b, err := newBackupWriter(w, backupHead{
		Format: backupFormat, Cluster: n.cluster.ClusterID(), Node: n.cfg.Node.ID, Version: readBuild().Version, Time: time.Now().UTC(),
		Shards: n.cluster.Shards(), Secrets: secrets,
	})
	if err != nil {
		return err
	}
	for _, shard := range backupOrder(n.cluster.Shards()) {
		if err := b.shard(shard, func(w io.Writer) error { return n.cluster.Backup(ctx, shard, w) }); err != nil {
			return err
		}
		w.flush()
	}
	return b.close()
}

// backupOrder lists the shards as they come in a backup.
func backupOrder(shards int) []int {
	var all []int
	for i := range shards {
		if i != directory.Shard {
			all = append(all, i)
		}
	}
	return append(all, directory.Shard)
}

// pacedWriter gives up on a reader that takes nothing, and never on one that is only slow.
type pacedWriter struct {
	w       io.Writer
	control *http.ResponseController
	bytes   int64
}

// Write implements io.Writer.
func (p *pacedWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(backupStall)) // without one the connection's end is noticed by the system
	n, err := p.w.Write(b)
	p.bytes += int64(n)
	return n, err
}

// flush sends what is gathered, so that the reader sees how far it is.
func (p *pacedWriter) flush() { _ = p.control.Flush() } // the next Write tells what is wrong
