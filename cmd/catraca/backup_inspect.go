package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/transport/wire"
)

// inspection is what a backup holds. It has no personal data.
type inspection struct {
	Cluster   string         `json:"cluster"`
	Node      string         `json:"node"`
	Version   string         `json:"version"`
	Time      time.Time      `json:"time"`
	Shards    []shardSeen    `json:"shards"`
	Directory *directorySeen `json:"directory"`
	Sales     []saleSeen     `json:"sales"`
	Defects   []string       `json:"defects"` // of the file and its whole
	Clean     bool           `json:"clean"`
}

type shardSeen struct {
	Shard int    `json:"shard"`
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
}

type directorySeen struct {
	Index    uint64          `json:"index"`
	At       wire.Time       `json:"at"`
	Accounts int             `json:"accounts"`
	Events   int             `json:"events"`
	Audit    uint64          `json:"audit"` // entries ever made
	Epoch    uint8           `json:"epoch"` // of identifiers in sales that are made later
	Defects  []string        `json:"defects"`
	known    []account.Event // for the comparison with the sales
}

// saleSeen is one sale. Held does not count the places that are being paid for.
type saleSeen struct {
	Event   sale.EventID       `json:"event"`
	Slug    string             `json:"slug"`
	Shard   int                `json:"shard"`
	Index   uint64             `json:"index"`
	At      wire.Time          `json:"at"`
	Phase   string             `json:"phase"`
	Epoch   uint8              `json:"epoch"` // of identifiers
	Places  placesSeen         `json:"places"`
	Orders  map[string]uint32  `json:"orders"`
	Tickets wire.LedgerTickets `json:"tickets"`
	Money   wire.LedgerMoney   `json:"money"`
	Queue   wire.LedgerQueue   `json:"queue"`
	Defects []string           `json:"defects"`
}

type placesSeen struct {
	Capacity uint32 `json:"capacity"`
	Free     uint32 `json:"free"`
	Held     uint32 `json:"held"`
	Paying   uint32 `json:"paying"`
	Sold     uint32 `json:"sold"`
	Blocked  uint32 `json:"blocked"`
}

func backupInspectCommand(env environment) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Bring a backup to life in memory, and check all of it",
		Long: "Reads the file to its end with every checksum, restores every sale and the accounts in memory, and recounts\n" +
			"places, orders, money, tickets and the queue. Nothing is written and no server is needed. Exit code 0: good, 1: not.",
		Example: "  catraca backup inspect tonight.backup\n  catraca backup inspect tonight.backup --output json",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("open backup: %w", err)
			}
			defer func() { _ = f.Close() }() // only read
			seen, err := inspect(c.Context(), f)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(env.stdout, seen)
			} else {
				err = showInspection(env, seen)
			}
			if err == nil && !seen.Clean {
				err = errSaid
			}
			return err
		},
	}
	out.flag(c)
	return c
}

// restored is a backup in memory: the machines of a node, without the node.
type restored struct {
	system    *actor.ActorSystem
	events    *event.Service
	directory *directory.Service

	mu     sync.Mutex
	broken error // a machine that could not go on
}

func newRestored(shards int) *restored {
	quiet := slog.New(slog.DiscardHandler)
	m := &restored{system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))}
	fatal := func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.broken = errors.Join(m.broken, err)
	}
	now := func() int64 { return time.Now().UnixMilli() }
	registry := prometheus.NewRegistry()
	m.events = event.New(event.Options{
		System: m.system, Shards: shards, Now: now, Logger: quiet, Fatal: fatal, Metrics: sequencer.NewMetrics(registry, "event"),
	})
	m.directory = directory.New(directory.Options{
		System: m.system, Shards: shards, Now: now, Logger: quiet, Fatal: fatal, Metrics: sequencer.NewMetrics(registry, "directory"),
	})
	return m
}

func (m *restored) close() {
	m.events.Close()
	m.directory.Close()
	m.system.Shutdown()
}

func (m *restored) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.broken
}

// inspect restores a whole backup in memory. The error says that the file could not be read to its end.
func inspect(ctx context.Context, r io.Reader) (*inspection, error) {
	b, err := newBackupReader(bufio.NewReaderSize(r, 1<<20))
	if err != nil {
		return nil, err
	}
	h := b.head
	out := &inspection{Cluster: h.Cluster, Node: h.Node, Version: h.Version, Time: h.Time, Sales: []saleSeen{}, Defects: []string{}}
	m := newRestored(h.Shards)
	defer m.close()
	home := map[sale.EventID]int{}
	for {
		shard, data, err := b.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		s, err := cluster.OpenBackup(data)
		if err != nil {
			return nil, fmt.Errorf("%w: shard %d: %w", errBackup, shard, err)
		}
		pump := m.pump(shard)
		if err := pump.Restore(s); err != nil {
			return nil, fmt.Errorf("%w: shard %d: %w", errBackup, shard, err)
		}
		if n, err := io.Copy(io.Discard, s); err != nil || n > 0 || s.Shard != shard {
			return nil, fmt.Errorf("%w: shard %d: %d bytes are of nothing, and it is of shard %d: %w", errBackup, shard, n, s.Shard, errors.Join(err))
		}
		if n, err := io.Copy(io.Discard, data); err != nil || n > 0 {
			return nil, fmt.Errorf("%w: shard %d: %d bytes follow its end: %w", errBackup, shard, n, errors.Join(err))
		}
		out.Shards = append(out.Shards, shardSeen{Shard: s.Shard, Index: s.Index, Term: s.Term})
		for _, id := range m.events.Events() {
			if _, ok := home[id]; !ok {
				home[id] = shard
			}
		}
	}
	if err := out.look(ctx, m, home); err != nil {
		return nil, err
	}
	out.judge(h)
	return out, nil
}

func (m *restored) pump(shard int) cluster.Pump {
	if shard == directory.Shard {
		return m.directory.Pump()
	}
	return m.events.Pump(shard)
}

// look recounts every machine.
func (out *inspection) look(ctx context.Context, m *restored, home map[sale.EventID]int) error {
	err := m.directory.Read(ctx, func(st *account.State) {
		d := &directorySeen{
			Index: st.Index(), At: wire.Time(st.Clock()), Accounts: st.Accounts(), Audit: st.AuditCount(), Epoch: st.Epoch(),
			Defects: []string{}, known: st.Events(),
		}
		d.Events = len(d.known)
		for _, err := range []error{st.Verify(), account.VerifyAudit(st.AuditBase(), st.AuditTail(int(min(st.AuditCount(), 1<<30))))} {
			if err != nil {
				d.Defects = append(d.Defects, err.Error())
			}
		}
		out.Directory = d
	})
	if err != nil {
		out.Defects = append(out.Defects, "there are no accounts: "+err.Error())
	}
	for _, id := range m.events.Events() {
		err := m.events.Read(ctx, id, func(st *sale.State) { out.Sales = append(out.Sales, lookAtSale(id, home[id], st)) })
		if err != nil {
			return err
		}
	}
	if err := m.failure(); err != nil {
		out.Defects = append(out.Defects, err.Error())
	}
	return ctx.Err()
}

// lookAtSale counts, and lets the sale count itself.
func lookAtSale(id sale.EventID, shard int, st *sale.State) saleSeen {
	cfg, book, totals, line := st.Config(), st.Book(), st.Totals(), st.QueueView()
	money := func(n int64) wire.Money { return wire.Money{Amount: n, Currency: cfg.Currency} }
	out := saleSeen{
		Event: id, Slug: cfg.Slug, Shard: shard, Index: st.Index(), At: wire.Time(st.Clock()), Phase: st.Phase().String(), Epoch: st.Epoch(),
		Places:  placesSeen{Capacity: totals.Capacity, Free: totals.Free, Held: totals.Held, Sold: totals.Sold, Blocked: totals.Blocked},
		Orders:  map[string]uint32{},
		Tickets: wire.LedgerTickets{Issued: book.TicketsIssued, Revoked: book.TicketsRevoked, Scanned: book.TicketsScanned},
		Money: wire.LedgerMoney{
			Captured: money(book.Captured), Refunded: money(book.Refunded), Refunding: money(book.Refunding),
			SoldFace: money(book.SoldFace), SoldFees: money(book.SoldFees),
		},
		Queue: wire.LedgerQueue{
			Issued: line.Counts.Issued, Front: uint32(line.Front), Waiting: line.Counts.Waiting, Away: line.Counts.Away,
			Offered: line.Counts.Offered, Shopping: line.Counts.Shopping, Parked: line.Counts.Parked, Done: line.Counts.Done,
			Left: line.Counts.Left, Removed: line.Counts.Removed,
		},
		Defects: []string{},
	}
	for i := range st.Orders() {
		if o, ok := st.Order(st.OrderAt(i)); ok && o.State == sale.OrderAwaiting {
			for _, l := range o.Lines {
				out.Places.Paying += l.Count
			}
		}
	}
	out.Places.Held -= min(out.Places.Held, out.Places.Paying)
	for state := sale.OrderAwaiting; state <= sale.OrderRefunded; state++ {
		out.Orders[state.String()] = book.Orders[state]
	}
	if err := st.Verify(); err != nil {
		out.Defects = append(out.Defects, err.Error())
	}
	return out
}
