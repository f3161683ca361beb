package catraca

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/storage/disktest"
)

// exitBroken is what a node ends with when its disk can no longer be trusted.
const exitBroken = 70

// darkroom is a fleet of which every node has its data on a disk that forgets what was not flushed.
type darkroom struct {
	*fleet

	disks map[*member]*disktest.Disk
}

// newDarkroom founds a cluster and moves the nodes' data to their disks.
func newDarkroom(t *testing.T, n int) *darkroom {
	t.Helper()
	disktest.Need(t)
	d := &darkroom{newFleet(t, n), make(map[*member]*disktest.Disk)}
	t.Cleanup(func() {
		for _, m := range d.nodes {
			m.signal(syscall.SIGKILL)
		}
		for m, disk := range d.disks {
			disk.Set(disktest.Faults{})
			m.gone(10 * time.Second)
			if err := disk.Unmount(); err != nil {
				t.Error(err)
			}
		}
	})
	for _, m := range d.nodes {
		m.signal(syscall.SIGTERM)
	}
	for _, m := range d.nodes {
		m.gone(30 * time.Second)
		disk, aside := disktest.New(), t.TempDir()
		d.must(disk.Mount(aside))
		d.must(os.CopyFS(aside, os.DirFS(m.data)))
		d.must(flushAll(aside))
		d.must(disk.Unmount())
		d.must(disk.Mount(m.data))
		d.disks[m] = disk
		disk.Set(d.usual())
		m.start()
	}
	d.ready(time.Minute)
	return d
}

func (d *darkroom) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// usual is a disk that takes its time, so that a cut finds something on its way.
func (d *darkroom) usual() disktest.Faults {
	return disktest.Faults{SyncStall: 2 * time.Millisecond}
}

func flushAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// blackout cuts the power of all nodes at once, and gives it back.
func (d *darkroom) blackout(random *rand.Rand) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, m := range d.nodes {
		var chance *rand.Rand // without one nothing is left of what was not flushed
		if random.IntN(4) > 0 {
			chance = rand.New(rand.NewPCG(random.Uint64(), 5)) //nolint:gosec // repeatable
		}
		all.Go(func() { d.disks[m].Cut(chance) })
	}
	all.Wait()
	for _, m := range d.nodes {
		m.signal(syscall.SIGKILL)
	}
	for _, m := range d.nodes {
		m.gone(10 * time.Second)
		d.must(d.disks[m].Unmount())
		d.must(d.disks[m].Mount(m.data))
	}
}

// holds wants everything that was acknowledged in the books.
func (d *darkroom) holds(acknowledged []*bench.Journal, when string) {
	d.t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
		books, err := bench.FetchLedger(ctx, d.client, d.fan, d.event, d.owner)
		cancel()
		if err == nil {
			err = bench.AuditLedger(acknowledged, books)
		}
		if err == nil {
			return
		}
		if time.Now().After(limit) {
			d.t.Fatalf("%s: %v\n%s", when, err, d.tails())
		}
	}
}

// Three nodes lose their power at once, again and again, while a crowd buys: at moments that nobody chose, also while
// they come back. Whatever was not flushed is gone or torn. Nothing that was acknowledged may be.
func TestPowerCutLosesNothing(t *testing.T) {
	const fans = 150
	cuts, random := numberFrom(t, "CATRACA_CUTS", 3, 10_000), seeded(t)
	d := newDarkroom(t, numberFrom(t, "CATRACA_CUT_NODES", 3, 9))
	lasts := time.Duration(cuts) * 8 * time.Second
	d.apply("estadio", stadium(d.rehearsal, 2*time.Second, fmt.Sprintf(`
rekey: true
queue: {rate_per_minute: %d, burst: 10, active_cap: 60, claim: 10m, lease: 30m}
`, max(30, int(fans*time.Minute/lasts)))))
	c := d.crowd(fans, lasts/4, hardStory, random)
	early, longest := 0, time.Duration(0)
	for done := range cuts {
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
		acknowledged := c.journals()
		d.blackout(random)
		began := time.Now()
		d.startAll()
		if random.IntN(4) == 0 { // they do not get far the first time
			early++
			time.Sleep(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
			d.blackout(random)
			d.startAll()
		}
		d.ready(time.Minute)
		longest = max(longest, time.Since(began))
		d.holds(acknowledged, fmt.Sprint("after cut ", done+1))
		d.closeWhenSoldOut()
	}
	for over := false; !over; {
		select {
		case <-c.ended:
			over = true
		case <-time.After(250 * time.Millisecond):
			d.closeWhenSoldOut()
		case <-time.After(lasts + 4*time.Minute):
			t.Fatalf("the sale has not ended: %s\n%s", d.standing(), d.tails())
		}
	}
	c.fail(t)
	d.must(bench.Audit(c.journals()))
	books, _ := d.settled(90*time.Second, c.journals())
	d.agreed(time.Minute)
	var lost disktest.Stats
	for _, disk := range d.disks {
		s := disk.Stats()
		lost.Dropped, lost.Torn, lost.Kept, lost.Names = lost.Dropped+s.Dropped, lost.Torn+s.Torn, lost.Kept+s.Kept, lost.Names+s.Names
	}
	n := c.count()
	t.Logf("%d nodes, %d cuts of all at once (%d of them while starting), longest until ready %v: %d fans %+v, %d orders, nothing acknowledged lost; pages that were not flushed: %d dropped, %d torn, %d kept; %d folders set back",
		len(d.nodes), cuts+early, early, longest.Round(time.Millisecond), fans, n, len(books.Rows), lost.Dropped, lost.Torn, lost.Kept, lost.Names)
	if n.failed+n.unpaid+n.closed != 0 || n.bought == 0 {
		t.Errorf("the stories ended as %+v", n)
	}
	d.verifyLedger()
}

func (d *darkroom) startAll() {
	for _, m := range d.nodes {
		m.start()
	}
}

// The leader's disk fails a flush, then another one's hangs: the node ends by itself with a code that says why, the
// others sell on, and with a good disk it comes back.
func TestSickDisk(t *testing.T) {
	random := seeded(t)
	d := newDarkroom(t, 3)
	d.apply("estadio", stadium(d.rehearsal, 0, `
rekey: true
queue: {rate_per_minute: 600, burst: 20, active_cap: 60, claim: 10m, lease: 30m}
`))
	c := d.crowd(120, 10*time.Second, hardStory, random)
	for _, sick := range []struct {
		name   string
		faults disktest.Faults
		says   string
	}{
		{"flush fails", disktest.Faults{SyncError: syscall.EIO, SyncAfter: 5}, "input/output error"},
		{"disk hangs", disktest.Faults{SyncStall: time.Hour}, "the disk has not answered"},
	} {
		d.whole(time.Minute) // without a third vote the loss of one node stops the others
		var m *member
		for limit := time.Now().Add(30 * time.Second); m == nil; time.Sleep(100 * time.Millisecond) {
			if m = d.leading(); m == nil && time.Now().After(limit) {
				t.Fatalf("nobody leads:\n%s", d.tails())
			}
		}
		d.disks[m].Set(sick.faults)
		for limit := time.Now().Add(40 * time.Second); !strings.Contains(m.tail(), sick.says); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s: %s does not say %q:\n%s", sick.name, m.id, sick.says, d.tails())
			}
		}
		before := d.orders(m)
		for limit := time.Now().Add(40 * time.Second); d.orders(m) <= before; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s: without %s nothing is sold any more:\n%s", sick.name, m.id, d.tails())
			}
		}
		d.disks[m].Set(d.usual())
		m.gone(20 * time.Second) // while its disk hangs not even the system gets rid of a process
		if code := m.cmd.ProcessState.ExitCode(); code != exitBroken {
			t.Errorf("%s: %s ended with %d, want %d:\n%s", sick.name, m.id, code, exitBroken, m.tail())
		}
		acknowledged := c.journals()
		m.start()
		d.ready(time.Minute)
		d.holds(acknowledged, sick.name)
	}
	<-c.ended
	c.fail(t)
	d.settled(90*time.Second, c.journals())
	d.agreed(time.Minute)
	d.verifyLedger()
}

// leading is the node that leads the busiest shard of sales; nil when nobody knows.
func (d *darkroom) leading() *member {
	var busiest shardStatus
	for _, s := range d.status() {
		if s.Shard > 0 && s.Commit >= busiest.Commit {
			busiest = s
		}
	}
	for _, m := range d.nodes {
		if m.id == busiest.Leader {
			return m
		}
	}
	return nil
}

// A node whose power is cut while it makes its very first files must come up afterwards: whatever it finds of them.
func TestPowerCutWhileFounding(t *testing.T) {
	disktest.Need(t)
	random := seeded(t)
	f := newFleet(t, 1)
	m := f.nodes[0]
	m.kill()
	if err := os.RemoveAll(m.data); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.data, 0o700); err != nil {
		t.Fatal(err)
	}
	disk := disktest.New()
	on := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		m.kill()
		on(disk.Unmount())
	})
	for round := range 4 * numberFrom(t, "CATRACA_CUTS", 3, 10_000) {
		disk = disktest.New()
		disk.Set(disktest.Faults{SyncStall: time.Millisecond})
		on(disk.Mount(m.data))
		m.start()
		time.Sleep(time.Duration(random.Int64N(int64(250 * time.Millisecond))))
		if round%2 == 0 {
			disk.Cut(nil)
		} else {
			disk.Cut(random)
		}
		m.kill()
		on(disk.Unmount())
		on(disk.Mount(m.data))
		m.start()
		m.ready(time.Minute)
		m.kill()
		on(disk.Unmount())
	}
}

// orders counts those that the nodes without one of them know.
func (d *darkroom) orders(without *member) int {
	for _, m := range d.nodes {
		if m == without {
			continue
		}
		ctx, cancel := context.WithTimeout(d.t.Context(), 5*time.Second)
		books, err := bench.FetchLedger(ctx, d.client, m.fan, d.event, d.owner)
		cancel()
		if err == nil {
			return len(books.Rows)
		}
	}
	return 0
}
