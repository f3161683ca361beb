package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/config"
)

// An epoch of the house becomes that of a sale, so both must have the same ones.
func TestEpochsOfHouseAndSaleAreTheSame(t *testing.T) {
	if account.MaxEpoch != sale.MaxEpoch {
		t.Errorf("a house has epochs to %d, a sale to %d", account.MaxEpoch, sale.MaxEpoch)
	}
}

// One epoch is for everything: the sales that are there, and those that are made later.
func TestNewEpochs(t *testing.T) {
	seen := func(house uint8, sales ...uint8) *inspection {
		in := &inspection{Node: "n1", Directory: &directorySeen{Epoch: house}}
		for i, e := range sales {
			in.Sales = append(in.Sales, saleSeen{Event: sale.EventID(i + 1), Slug: "s", Shard: i%2 + 1, Epoch: e})
		}
		return in
	}
	for _, c := range []struct {
		name  string
		seen  *inspection
		raise uint32
		want  uint32 // 0: refused
	}{
		{"nothing yet", seen(0), 1, 1},
		{"never restored", seen(0, 0, 0, 0), 1, 1},
		{"the house is ahead", seen(4, 1, 0), 1, 5},
		{"a sale is ahead", seen(0, 1, 3, 2), 1, 4},
		{"again", seen(1, 1), 3, 4},
		{"to the last", seen(62, 0), 1, 63},
		{"too often", seen(63), 1, 0},
		{"too often at once", seen(1, 60), 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, err := newEpochs(c.seen, c.raise)
			if c.want == 0 {
				if err == nil || !strings.Contains(err.Error(), "too often") {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := epochsOf(t, directory.Shard, first(directory.Shard)); len(got) != 1 || got[0] != c.want {
				t.Errorf("the house is raised to %v, want %d", got, c.want)
			}
			n := 0
			for shard := 1; shard < 4; shard++ {
				for _, got := range epochsOf(t, shard, first(shard)) {
					if n++; got != c.want {
						t.Errorf("a sale is raised to %d, want %d", got, c.want)
					}
				}
			}
			if n != len(c.seen.Sales) {
				t.Errorf("%d of %d sales are raised", n, len(c.seen.Sales))
			}
		})
	}
}

// A backup that speaks of itself in a way the audit does not take is refused: without its entry nothing would be raised.
func TestNewEpochsMustBeTaken(t *testing.T) {
	if _, err := newEpochs(&inspection{Node: "n1\n", Directory: &directorySeen{}}, 1); err == nil || !strings.Contains(err.Error(), "detail") {
		t.Errorf("error %v", err)
	}
}

// epochsOf reads the epochs that the entries of a shard go to.
func epochsOf(t *testing.T, shard int, entries [][]byte) (all []uint32) {
	t.Helper()
	for _, b := range entries {
		_, rest, err := sequencer.DecodeHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		cmd, rest, err := sequencer.NextCommand(rest)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%d bytes follow the command: %v", len(rest), err)
		}
		if shard == directory.Shard {
			var d account.Decoder
			c, err := d.Decode(cmd)
			if err != nil || c.Op != account.OpEpoch || c.Actor != 0 {
				t.Fatalf("op %d of %d: %v", c.Op, c.Actor, err)
			}
			all = append(all, c.Count)
			continue
		}
		var d sale.Decoder
		var c sale.Command
		if err := d.Decode(cmd, &c); err != nil || c.Op != sale.OpEpoch {
			t.Fatalf("op %d: %v", c.Op, err)
		}
		all = append(all, uint32(c.Limit))
	}
	return all
}

// opened is a running house of one node, with one event.
func opened(t *testing.T, dir string) *stage {
	t.Helper()
	s := &stage{log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() { closed(t, s) })
	club := write(t, "club.yaml", `
slug: ensaio
name: Ensaio
venue: Clube
starts_at: now+48h
opens_at: now+1h
categories: {pista: {name: Pista, price: 60, fee: 6}}
areas: [{name: Pista, category: pista, capacity: 100}]
`)
	if err := s.start(t.Context(), environment{}, demoOptions{listen: "127.0.0.1:0", opensIn: time.Hour, data: dir, event: club}); err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, s *stage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	s.stop(ctx)
	*s = stage{}
}

// lateShow is an event with places for nothing, which are sold at once.
func lateShow(now time.Time) *sale.Config {
	cfg := eventtest.Config(1, 4, 0, now)
	cfg.Slug, cfg.Name = "late-show", "Late Show"
	cfg.Plan.Categories[0].Price, cfg.Plan.Categories[0].Fee = 0, 0
	return cfg
}

// bought is the numbers of one purchase.
type bought struct {
	event  sale.EventID
	hold   sale.HoldID
	order  sale.OrderID
	ticket sale.TicketID
}

// buyLate puts the late show on sale and takes a place.
func buyLate(t *testing.T, s *stage, now time.Time) bought {
	t.Helper()
	v, err := s.node.api.ApplyEvent(t.Context(), 0, lateShow(now))
	if err != nil {
		t.Fatal(err)
	}
	do := func(c sale.Command) sale.Result {
		t.Helper()
		c.Account = 1
		r, err := s.node.events.Submit(t.Context(), v.Event, &c)
		if err != nil || r.Refusal != sale.Done {
			t.Fatalf("op %d: refusal %d, %v", c.Op, r.Refusal, err)
		}
		return r
	}
	do(sale.Command{Op: sale.OpJoin})
	do(sale.Command{Op: sale.OpClaim})
	h := do(sale.Command{Op: sale.OpHold, Lines: []sale.Line{{Unit: 2, Count: 1}}})
	o := do(sale.Command{Op: sale.OpOrderOpen, Hold: h.Hold})
	b := bought{event: v.Event, hold: h.Hold, order: o.Order}
	if err := s.node.events.Read(t.Context(), v.Event, func(st *sale.State) { b.ticket = st.TicketAt(0) }); err != nil {
		t.Fatal(err)
	}
	return b
}

func backedUp(t *testing.T, s *stage, file string) {
	t.Helper()
	got := typeIn(t, nil, "backup", "create", "-o", file, "--server", "http://"+s.node.opAddr.String(), "--token-file", filepath.Join(s.dir, tokenName))
	if got.code != 0 {
		t.Fatalf("%+v", got)
	}
}

func inspected(t *testing.T, file string) (in inspection, page string) {
	t.Helper()
	got := typeIn(t, nil, "backup", "inspect", file, "--output", "json")
	if err := json.Unmarshal([]byte(got.stdout), &in); err != nil || got.code != 0 || !in.Clean {
		t.Fatalf("%+v: %v", got, err)
	}
	return in, typeIn(t, nil, "backup", "inspect", file).stdout
}

// An event is made after the backup and sold, and lost with everything. Made again it has the number of the lost one, and
// nothing else of it.
func TestEventMadeAgainAfterARestore(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	file := filepath.Join(dir, "tonight.backup")
	s := opened(t, filepath.Join(dir, "lost"))
	backedUp(t, s, file)
	lost := buyLate(t, s, now)
	closed(t, s)
	if in, page := inspected(t, file); in.Directory.Epoch != 0 || len(in.Sales) != 1 || strings.Contains(page, "epoch") {
		t.Errorf("the backup is of epoch %d: %s", in.Directory.Epoch, page)
	}

	cfg := config.Default()
	cfg.Node.Data = filepath.Join(dir, "restored")
	if err := restoreBackup(t.Context(), environment{stderr: io.Discard}, cfg, file, 1); err != nil {
		t.Fatal(err)
	}
	s = opened(t, cfg.Node.Data)
	made := buyLate(t, s, now)
	if made.event != lost.event {
		t.Fatalf("the event made again is %d, the lost one was %d: this test shows nothing", made.event, lost.event)
	}
	if made.hold == lost.hold || made.order == lost.order || made.ticket == lost.ticket {
		t.Errorf("lost %+v, and made again %+v", lost, made)
	}
	// The same file changes nothing, though it says nothing of the epoch.
	if _, err := s.node.api.ApplyEvent(t.Context(), 0, lateShow(now)); err != nil {
		t.Errorf("applied again: %v", err)
	}
	var booked account.Entry
	if err := s.node.directory.Read(t.Context(), func(st *account.State) {
		for _, e := range st.AuditTail(100) {
			if e.Action == "epoch.raise" {
				booked = e
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if booked.Actor != 0 || !strings.Contains(booked.Detail, "by node n1") {
		t.Errorf("booked %+v", booked)
	}
	second := filepath.Join(dir, "second.backup")
	backedUp(t, s, second)
	in, page := inspected(t, second)
	if in.Directory.Epoch != 1 || len(in.Sales) != 2 || in.Sales[0].Epoch != 1 || in.Sales[1].Epoch != 1 || !strings.Contains(page, "epoch 1") || !strings.Contains(page, "GOOD") {
		t.Errorf("the second backup is of epoch %d, its sales are %+v; %s", in.Directory.Epoch, in.Sales, page)
	}
}
