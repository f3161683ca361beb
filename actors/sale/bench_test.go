package sale

import (
	"testing"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// benchSale is a sale of 20,000 seats in rows of 40 with room for everybody at once.
func benchSale(b *testing.B, fans int) *State {
	p := &seatmap.Plan{
		Name: "Arena", Width: 100_000, Height: 1_000_000,
		Categories: []seatmap.Category{{Key: "std", Name: "Standard", Color: "#336699", Price: 10_000, Fee: 1_000}},
		Sections:   []seatmap.Section{{Label: "All", FocalX: 50_000}},
	}
	for r := range 500 {
		p.Rows = append(p.Rows, seatmap.Row{Label: "r" + string(rune('0'+r)), First: UnitID(40 * r), Count: 40, Rank: uint16(r)})
		for i := range 40 {
			p.Seats = append(p.Seats, seatmap.Seat{
				Key: string([]rune{rune('0' + r), ':', rune('0' + i)}), Label: "s" + string(rune('0'+i)), X: int32(1000 + 1000*i), Y: int32(1000 + 1000*r), Row: uint32(r),
			})
		}
	}
	cfg := storyConfig(p)
	cfg.Queue = queue.Policy{RatePerMinute: queue.MaxRate, Burst: queue.MaxBurst, ActiveCap: queue.MaxActive}
	cfg.Limits = Limits{PerHold: 4, PerAccount: 8, Attempts: 3}
	s, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	s.Begin(1, storyDay.UnixMilli())
	for a := range AccountID(fans) {
		s.Do(&Command{Op: OpJoin, Account: a + 1})
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	s.Begin(2, storyDay.UnixMilli()+1)
	for a := range AccountID(fans) {
		s.Do(&Command{Op: OpClaim, Account: a + 1})
	}
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkHoldRelease is one keyed hold of two seats and its release, in batches of 256 commands.
func BenchmarkHoldRelease(b *testing.B) {
	const fans = 5000
	s := benchSale(b, fans)
	i, in := 0, 0
	var key uint64
	b.ReportAllocs()
	s.Begin(s.Index()+1, s.Clock()+1)
	for b.Loop() {
		a := AccountID(i%fans + 1)
		first := UnitID(i % 10_000 * 2)
		key++
		c := Command{Op: OpHold, Account: a, Key: Key{byte(key), byte(key >> 8), byte(key >> 16), byte(key >> 24), 1}}
		lines := [2]Line{{Unit: first, Count: 1}, {Unit: first + 1, Count: 1}}
		c.Lines = lines[:]
		r := s.Do(&c)
		if r.Refusal != Done {
			b.Fatalf("%+v", r)
		}
		s.Do(&Command{Op: OpHoldRelease, Account: a, Hold: r.Hold})
		if in += 2; in >= 256 {
			in = 0
			if err := s.End(); err != nil {
				b.Fatal(err)
			}
			s.Begin(s.Index()+1, s.Clock()+1)
		}
		i++
	}
}

// BenchmarkBestRelease is one hold of the best two seats and its release.
func BenchmarkBestRelease(b *testing.B) {
	const fans = 5000
	s := benchSale(b, fans)
	i := 0
	b.ReportAllocs()
	s.Begin(s.Index()+1, s.Clock()+1)
	for b.Loop() {
		a := AccountID(i%fans + 1)
		r := s.Do(&Command{Op: OpHold, Account: a, Key: Key{byte(i), byte(i >> 8), byte(i >> 16), 1}, Best: seatmap.BestQuery{Quantity: 2, AnyCategory: true, AnySection: true}})
		if r.Refusal != Done {
			b.Fatalf("%+v", r)
		}
		s.Do(&Command{Op: OpHoldRelease, Account: a, Hold: r.Hold})
		if i++; i%128 == 0 {
			if err := s.End(); err != nil {
				b.Fatal(err)
			}
			s.Begin(s.Index()+1, s.Clock()+1)
		}
	}
}

// BenchmarkJoin is one join from its stored form, in batches of 256.
func BenchmarkJoin(b *testing.B) {
	s := benchSale(b, 1)
	var d Decoder
	var c Command
	var buf []byte
	i := 0
	b.ReportAllocs()
	s.Begin(s.Index()+1, s.Clock()+1)
	for b.Loop() {
		i++
		buf = AppendCommand(buf[:0], &Command{Op: OpJoin, Account: AccountID(i + 10)})
		if err := d.Decode(buf, &c); err != nil {
			b.Fatal(err)
		}
		s.Do(&c)
		if i%256 == 0 {
			if err := s.End(); err != nil {
				b.Fatal(err)
			}
			s.Begin(s.Index()+1, s.Clock()+1)
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
	s := benchSale(b, 5000)
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
	s := benchSale(b, 5000)
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
