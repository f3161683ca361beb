package sale

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// benchPlan is a hall in rows of 40.
func benchPlan(seats int) *seatmap.Plan {
	p := &seatmap.Plan{
		Name: "Arena", Width: 100_000, Height: 10_000_000,
		Categories: []seatmap.Category{{Key: "std", Name: "Standard", Color: "#336699", Price: 10_000, Fee: 1_000}},
		Sections:   []seatmap.Section{{Label: "All", FocalX: 50_000}},
	}
	for r := range seats / 40 {
		p.Rows = append(p.Rows, seatmap.Row{Label: fmt.Sprint(r), First: UnitID(40 * r), Count: 40, Rank: uint16(r)})
		for i := range 40 {
			p.Seats = append(p.Seats, seatmap.Seat{
				Key: fmt.Sprint(r, ":", i), Label: fmt.Sprint(i), X: int32(1000 + 1000*i), Y: int32(1000 + 1000*r), Row: uint32(r),
			})
		}
	}
	return p
}

// benchSale is a sale with room for all shoppers at once and more people behind them in line, away.
func benchSale(b *testing.B, seats, shoppers, line int) *State {
	cfg := storyConfig(benchPlan(seats))
	cfg.Queue = queue.Policy{RatePerMinute: queue.MaxRate, Burst: queue.MaxBurst, ActiveCap: uint32(shoppers), MaxPlaces: queue.MaxMaxPlaces}
	cfg.Limits = Limits{PerHold: 4, PerAccount: 8, Attempts: 3}
	cfg.Times.Hold, cfg.Times.HoldCap = 2*hour, 3*hour
	cfg.Queue.LeaseMs, cfg.Queue.LeaseCapMs = 3*hour, 3*hour
	s, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	s.Begin(1, storyDay.UnixMilli())
	for a := range AccountID(shoppers + line) {
		s.Do(&Command{Op: OpJoin, Account: a + 1})
		if a%4096 == 0 {
			nextBatch(b, s)
		}
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	s.Begin(s.Index()+1, s.Clock()+1)
	for a := range AccountID(shoppers) {
		s.Do(&Command{Op: OpClaim, Account: a + 1})
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	return s
}

// benchKey is as random as a hash.
func benchKey(i uint64) (k Key) {
	binary.LittleEndian.PutUint64(k[:], i*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(k[8:], ^i*0xbf58476d1ce4e5b9)
	return k
}

// eachScale runs a benchmark of a small and a large sale.
func eachScale(b *testing.B, run func(b *testing.B, s *State, shoppers int)) {
	for _, c := range []struct{ seats, line int }{{1_000, 1_000}, {10_000, 100_000}, {100_000, 100_000}, {100_000, 10_000_000}} {
		shoppers := c.seats / 4
		if testing.Short() && c.line > 100_000 {
			continue
		}
		s := benchSale(b, c.seats, shoppers, c.line)
		b.Run(fmt.Sprintf("seats=%d/places=%d", c.seats, c.line+shoppers), func(b *testing.B) { run(b, s, shoppers) })
	}
}

// foreseen is how many commands are foreseen before the first of them is done, as in the sequencer.
const foreseen = 64

// BenchmarkHold is rounds in which 250 fans take one or two seats each by name, with a key, and then give them back, in
// batches of 250 commands: what is measured is DoInto of decoded commands, foreseen as a sequencer does, and their share of
// Begin and End, from accounts, seats and keys that no cache foresees, once as many answers are kept as there may be. The two halves are timed apart: hold-ns and
// release-ns are of one command, on average; hold-p50-ns is that of the median round, which other work on the machine
// hardly moves. An operation of the benchmark is a round, so ns/op, B/op and allocs/op are of 500 commands.
func BenchmarkHold(b *testing.B) {
	eachScale(b, func(b *testing.B, s *State, shoppers int) {
		for _, named := range []int{1, 2} {
			b.Run(fmt.Sprintf("named=%d", named), func(b *testing.B) { benchHolds(b, s, shoppers, named) })
		}
	})
}

func benchHolds(b *testing.B, s *State, shoppers, named int) {
	const n = 250
	cmds, releases := make([]Command, n), make([]Command, n)
	lines := make([][2]Line, n)
	var rounds []time.Duration
	holding, releasing := time.Duration(0), time.Duration(0)
	key := s.Index() << 32 // not one of an earlier run
	for s.fanKeys.len() < maxFanKeys {
		s.Begin(s.Index()+1, s.Clock()+1)
		for range n {
			key++
			h := s.Do(&Command{Op: OpHold, Account: 1, Key: benchKey(key), Lines: []Line{{Unit: 0, Count: 1}, {Unit: 1, Count: 1}}})
			s.Do(&Command{Op: OpHoldRelease, Account: 1, Hold: h.Hold})
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
	var r Result
	b.ReportAllocs()
	for b.Loop() {
		for i := range cmds {
			fan := (len(rounds)*n + i) * 7919 % shoppers
			first := UnitID((len(rounds)*n + i) * 104_729 % shoppers * 4)
			key++
			lines[i] = [2]Line{{Unit: first, Count: 1}, {Unit: first + 1, Count: 1}}
			cmds[i] = Command{Op: OpHold, Account: AccountID(fan + 1), Key: benchKey(key), Lines: lines[i][:named]}
		}
		started := time.Now()
		s.Begin(s.Index()+1, s.Clock()+1)
		for i := range cmds {
			if i%foreseen == 0 {
				s.Foresee(cmds[i:min(i+foreseen, n)])
			}
			if s.DoInto(&cmds[i], &r); r.Refusal != Done {
				b.Fatalf("hold %+v: %+v", cmds[i], r)
			}
			releases[i] = Command{Op: OpHoldRelease, Account: cmds[i].Account, Hold: r.Hold}
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		rounds = append(rounds, between.Sub(started))
		holding += between.Sub(started)
		s.Begin(s.Index()+1, s.Clock()+1)
		for i := range releases {
			s.DoInto(&releases[i], &r)
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
		releasing += time.Since(between)
	}
	slices.Sort(rounds)
	b.ReportMetric(float64(rounds[len(rounds)/2].Nanoseconds())/n, "hold-p50-ns")
	b.ReportMetric(float64(holding.Nanoseconds())/float64(len(rounds)*n), "hold-ns")
	b.ReportMetric(float64(releasing.Nanoseconds())/float64(len(rounds)*n), "release-ns")
}

// BenchmarkBest is one keyed hold of the best four seats and its release, in batches of 256.
func BenchmarkBest(b *testing.B) {
	s := benchSale(b, 100_000, 5000, 0)
	i, key := 0, uint64(0)
	b.ReportAllocs()
	s.Begin(s.Index()+1, s.Clock()+1)
	for b.Loop() {
		a := AccountID(i%5000 + 1)
		key++
		r := s.Do(&Command{Op: OpHold, Account: a, Key: benchKey(key), Best: seatmap.BestQuery{Quantity: 4, AnyCategory: true, AnySection: true}})
		if r.Refusal != Done {
			b.Fatalf("%+v", r)
		}
		s.Do(&Command{Op: OpHoldRelease, Account: a, Hold: r.Hold})
		if i++; i%128 == 0 {
			nextBatch(b, s)
		}
	}
}

func nextBatch(b *testing.B, s *State) {
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	s.Begin(s.Index()+1, s.Clock()+1)
}

// BenchmarkJoin is one join of a new account, DoInto of a decoded command, in batches of 256.
func BenchmarkJoin(b *testing.B) {
	const n = 256
	eachScale(b, func(b *testing.B, s *State, _ int) {
		cmds := make([]Command, n)
		i := 0
		var r Result
		b.ReportAllocs()
		s.Begin(s.Index()+1, s.Clock()+1)
		for b.Loop() {
			if i%n == 0 {
				nextBatch(b, s)
				for j := range cmds {
					cmds[j] = Command{Op: OpJoin, Account: AccountID(uint64(i+j)*0x9e3779b97f4a7c15 | 1<<63)}
				}
			}
			if i%foreseen == 0 {
				s.Foresee(cmds[i%n : i%n+foreseen])
			}
			if s.DoInto(&cmds[i%n], &r); r.Refusal != Done {
				b.Fatalf("join: %+v", r)
			}
			i++
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkPosition reads the place of an account, with how many are ahead.
func BenchmarkPosition(b *testing.B) {
	eachScale(b, func(b *testing.B, s *State, _ int) {
		n := uint64(s.QueueView().Counts.Issued)
		i := uint64(0)
		b.ReportAllocs()
		for b.Loop() {
			i++
			s.Place(AccountID(i*0x9e3779b97f4a7c15%n + 1))
		}
	})
}

// BenchmarkFreeze freezes, and then changes a little, so that chunks have to be copied: touch-ns is what the first 250
// changes after a freeze cost.
func BenchmarkFreeze(b *testing.B) {
	s := benchSale(b, 100_000, 25_000, 1_000_000)
	var touching time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		f := s.Freeze()
		started := time.Now()
		s.Begin(s.Index()+1, s.Clock()+1)
		for i := range 250 {
			a := AccountID(n*250+i)*7919%1_000_000 + 25_001
			s.Do(&Command{Op: OpAway, Account: a})
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
		touching += time.Since(started)
		n++
		runtime.KeepAlive(f)
	}
	b.ReportMetric(float64(touching.Nanoseconds())/float64(n), "touch-ns")
}

// BenchmarkRestore reads a sale of 100,000 seats and 1,000,000 places with 25,000 holds.
func BenchmarkRestore(b *testing.B) {
	s := benchSale(b, 100_000, 25_000, 1_000_000)
	s.Begin(s.Index()+1, s.Clock()+1)
	for i := range 25_000 {
		s.Do(&Command{Op: OpHold, Account: AccountID(i + 1), Key: benchKey(uint64(i)), Lines: []Line{{Unit: UnitID(4 * i), Count: 1}, {Unit: UnitID(4*i + 1), Count: 1}}})
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	snapshot := s.AppendSnapshot(nil)
	b.SetBytes(int64(len(snapshot)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Restore(snapshot); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendDecode(b *testing.B) {
	c := Command{Op: OpHold, Key: Key{1, 2, 3}, Account: 1 << 40, Lines: []Line{{Unit: 4000, Count: 1}, {Unit: 4001, Count: 1}}}
	var d Decoder
	var got Command
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendCommand(buf[:0], &c)
		if err := d.Decode(buf, &got); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEmptyBatch is the fixed price of a batch.
func BenchmarkEmptyBatch(b *testing.B) {
	s := benchSale(b, 20_000, 5000, 0)
	b.ReportAllocs()
	for b.Loop() {
		s.Begin(s.Index()+1, s.Clock()+1)
		s.Do(&Command{Op: OpTick})
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshot is of a sale with 5,000 fans and as many orders paid.
func BenchmarkSnapshot(b *testing.B) {
	s := benchSale(b, 20_000, 5000, 0)
	s.Begin(s.Index()+1, s.Clock()+1)
	for i := range 5000 {
		a := AccountID(i + 1)
		h := s.Do(&Command{Op: OpHold, Account: a, Lines: []Line{{Unit: UnitID(2 * i), Count: 1}, {Unit: UnitID(2*i + 1), Count: 1}}})
		o := s.Do(&Command{Op: OpOrderOpen, Account: a, Hold: h.Hold, Text: "pt-BR"})
		s.Do(&Command{Op: OpPayBegin, Account: a, Order: o.Order, Method: MethodPix})
		ref := string([]rune{'p', rune('0' + i)})
		s.Do(&Command{Op: OpPayStarted, Order: o.Order, Attempt: 1, Ref: ref, URL: "https://pay.example/" + ref})
		if r := s.Do(&Command{Op: OpPayState, Order: o.Order, Ref: ref, Pay: PayCaptured, Amount: 22_000, Currency: "BRL"}); r.Refusal != Done {
			b.Fatalf("%+v", r)
		}
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	buf := s.AppendSnapshot(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = s.AppendSnapshot(buf[:0])
	}
}
