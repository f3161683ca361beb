package disktest

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cuts is how often the power is cut: CATRACA_CUTS, or 3.
func cuts(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CATRACA_CUTS")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 10_000 {
		t.Fatalf("CATRACA_CUTS is %q, want a number from 1 to 10000", text)
	}
	return n
}

// seed is CATRACA_SEED, or any.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n := rand.Uint64() //nolint:gosec // printed and repeatable
	if text := os.Getenv("CATRACA_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CATRACA_SEED is %q, want a number", text)
		}
	}
	t.Logf("CATRACA_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 3)) //nolint:gosec // repeatable
}

// machine is one node as a process on a disk of its own.
type machine struct {
	*mounted

	id, address string
	cmd         *exec.Cmd
	stderr      speech
	exited      chan struct{}

	mu    sync.Mutex
	have  [shards][]string // what it has, in this life
	acked int              // in this life
}

// speech is what a process says.
type speech struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (s *speech) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(p)
}

func (s *speech) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// room holds the machines of a cluster, and all that any of them has ever acknowledged.
type room struct {
	t        *testing.T
	machines []*machine
	lives    int // of machines, all together

	mu    sync.Mutex
	acked [shards]map[string]bool
}

// slow is a disk that takes its time, so that a cut finds something on its way.
func slow() Faults { return Faults{SyncStall: 2 * time.Millisecond} }

func newRoom(t *testing.T, n int) *room {
	t.Helper()
	r := &room{t: t}
	for i := range r.acked {
		r.acked[i] = map[string]bool{}
	}
	for i := range n {
		// A port that the system gives to no outgoing connection: a machine finds it free when it comes back.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(8000))) //nolint:gosec // any port
		for try := 0; err != nil && try < 100; try++ {
			l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(8000))) //nolint:gosec // any port
		}
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{mounted: mount(t), id: fmt.Sprint("n", i+1), address: l.Addr().String()}
		_ = l.Close()
		m.Set(slow())
		r.machines = append(r.machines, m)
	}
	t.Cleanup(func() {
		for _, m := range r.machines {
			m.kill()
			if t.Failed() {
				t.Logf("%s said:\n%s", m.id, &m.stderr)
			}
		}
	})
	return r
}

// boot starts a machine.
func (r *room) boot(m *machine) {
	r.t.Helper()
	peers := make([]string, 0, len(r.machines))
	for _, p := range r.machines {
		peers = append(peers, p.id+"="+p.address)
	}
	r.lives++
	self, err := os.Executable()
	m.must(err)
	m.cmd = exec.Command(self)
	m.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d|%s", envChild, m.id, filepath.Join(m.dir, "raft"), r.lives, strings.Join(peers, ",")))
	m.stderr.said.Reset()
	m.cmd.Stderr = &m.stderr
	out, err := m.cmd.StdoutPipe()
	m.must(err)
	m.must(m.cmd.Start())
	m.exited = make(chan struct{})
	m.have, m.acked = [shards][]string{}, 0
	go func() {
		defer close(m.exited)
		for s := bufio.NewScanner(out); s.Scan(); {
			r.hear(m, s.Text())
		}
		_ = m.cmd.Wait()
	}()
}

// hear takes a line of a machine. A last line that was torn off says less than it would have, never something else.
func (r *room) hear(m *machine, line string) {
	var shard int
	var who string
	var i int
	switch n, _ := fmt.Sscanf(line, "ack %d %s %d", &shard, &who, &i); {
	case n == 3:
		r.mu.Lock()
		r.acked[shard][fmt.Sprint(who, " ", i)] = true
		r.mu.Unlock()
		m.mu.Lock()
		m.acked++
		m.mu.Unlock()
	case strings.HasPrefix(line, "anew "):
		m.mu.Lock()
		m.have[line[5]-'0'] = nil
		m.mu.Unlock()
	case strings.HasPrefix(line, "have "):
		at := line[5] - '0'
		m.mu.Lock()
		m.have[at] = append(m.have[at], line[7:])
		m.mu.Unlock()
	}
}

func (m *machine) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		<-m.exited
	}
}

// up waits until machines that have just started have all that was acknowledged before.
func (r *room) up(before [shards]map[string]bool, machines ...*machine) {
	r.t.Helper()
	for _, m := range machines {
		limit := time.Now().Add(30 * time.Second)
		for missing := "?"; missing != ""; time.Sleep(5 * time.Millisecond) {
			if missing = m.missing(before); missing == "" {
				break
			}
			select {
			case <-m.exited:
				r.t.Fatalf("life %d: %s has ended: %s\n%v", r.lives, m.id, &m.stderr, m.Disk)
			default:
			}
			if time.Now().After(limit) {
				r.t.Fatalf("life %d: acknowledged %s is gone from %s: %s\n%v", r.lives, missing, m.id, &m.stderr, m.Disk)
			}
		}
	}
	for _, m := range machines {
		r.inOrder(m)
	}
}

// missing names something that a machine should have and has not.
func (m *machine) missing(want [shards]map[string]bool) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for shard, all := range want {
		seen := make(map[string]bool, len(m.have[shard]))
		for _, d := range m.have[shard] {
			seen[d] = true
		}
		for a := range all {
			if !seen[a] {
				return fmt.Sprintf("entry %q of shard %d", a, shard)
			}
		}
	}
	return ""
}

// inOrder wants each caller's entries once and without a hole, and the order of all to be that of the first machine.
func (r *room) inOrder(m *machine) {
	r.t.Helper()
	first := r.machines[0]
	for shard := range shards {
		mine, theirs := m.list(shard), first.list(shard)
		next := map[string]int{}
		for i, d := range mine {
			who, num, _ := strings.Cut(d, " ")
			if num != fmt.Sprint(next[who]) {
				r.t.Fatalf("life %d: on %s caller %s has entry %s where %d was due", r.lives, m.id, who, num, next[who])
			}
			next[who]++
			if i < len(theirs) && theirs[i] != d {
				r.t.Fatalf("life %d: entry %d of shard %d is %q on %s and %q on %s", r.lives, i, shard, d, m.id, theirs[i], first.id)
			}
		}
	}
}

func (m *machine) list(shard int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clip(m.have[shard])
}

// known copies what has been acknowledged.
func (r *room) known() (out [shards]map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, all := range r.acked {
		out[i] = maps.Clone(all)
	}
	return out
}

func (m *machine) acks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.acked
}

// says waits for words on a machine's standard error.
func (r *room) says(m *machine, words string) {
	r.t.Helper()
	for limit := time.Now().Add(30 * time.Second); !strings.Contains(m.stderr.String(), words); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("life %d: %s does not say %q: %s", r.lives, m.id, words, &m.stderr)
		}
	}
}

func (r *room) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, all := range r.acked {
		n += len(all)
	}
	return n
}

// busy waits until so many entries more have been acknowledged.
func (r *room) busy(more int) {
	r.t.Helper()
	want := r.total() + more
	for limit := time.Now().Add(time.Minute); r.total() < want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("life %d: nothing is acknowledged any more", r.lives)
		}
	}
}

func (r *room) bootAll() {
	r.t.Helper()
	for _, m := range r.machines {
		r.boot(m)
	}
}

// blackout cuts the power of all machines at once, and gives it back.
func (r *room) blackout(random *rand.Rand) {
	r.t.Helper()
	var all sync.WaitGroup
	for _, m := range r.machines {
		chance := random
		if random.IntN(4) == 0 {
			chance = nil // nothing of what was not flushed
		} else {
			chance = rand.New(rand.NewPCG(random.Uint64(), 5)) //nolint:gosec // repeatable
		}
		all.Go(func() { m.Cut(chance) })
	}
	all.Wait()
	for _, m := range r.machines {
		m.kill()
		m.must(m.Unmount())
		m.must(m.Mount(m.dir))
	}
}

func TestPowerCut(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint("of ", n), func(t *testing.T) {
			r, random := newRoom(t, n), seed(t)
			all, early := cuts(t), 0
			for done := 0; done <= all; done++ {
				before := r.known()
				r.bootAll()
				if done < all && random.IntN(4) == 0 { // they do not get far the first time
					early++
					time.Sleep(time.Duration(random.Int64N(int64(150 * time.Millisecond))))
					r.blackout(random)
					before = r.known()
					r.bootAll()
				}
				r.up(before, r.machines...)
				if done < all {
					r.busy(50 + random.IntN(300))
					r.blackout(random)
				}
			}
			var st Stats
			for _, m := range r.machines {
				s := m.Stats()
				st.Dropped, st.Torn, st.Kept, st.Names = st.Dropped+s.Dropped, st.Torn+s.Torn, st.Kept+s.Kept, st.Names+s.Names
			}
			t.Logf("%d nodes, %d cuts (%d of them early): %d entries acknowledged, none lost; of the pages that were not flushed %d were dropped, %d torn, %d kept; %d folders were set back",
				n, all+early, early, r.total(), st.Dropped, st.Torn, st.Kept, st.Names)
			if st.Dropped+st.Names == 0 && all > 2 {
				t.Error("the cuts took nothing: nothing was tried")
			}
		})
	}
}

// A disk that fails a flush, or hangs: the node that has it ends, or lets the others lead, and they go on. With a good
// disk it comes back and has everything.
func TestFailingDisk(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults Faults
		ends   bool
	}{
		{"flush fails once", Faults{SyncError: syscall.EIO, SyncAfter: 20}, true},
		{"disk hangs", Faults{SyncStall: time.Minute}, true},
		{"disk hangs for a moment", Faults{SyncStall: 1500 * time.Millisecond}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 3)
			r.bootAll()
			r.busy(20)
			sick := r.machines[0]
			for _, m := range r.machines { // a leader's failure says most
				if m.acks() > sick.acks() {
					sick = m
				}
			}
			sick.Set(c.faults)
			if c.ends {
				r.says(sick, "fatal: ")
			} else {
				time.Sleep(c.faults.SyncStall) // for as long as the disk hangs
				sick.Set(slow())
			}
			r.busy(100)
			sick.Set(slow())
			if c.ends {
				<-sick.exited // while its disk hangs not even the system gets rid of a process
				if code := sick.cmd.ProcessState.ExitCode(); code != exitBroken {
					t.Errorf("%s ended with %d: %s", sick.id, code, &sick.stderr)
				}
				before := r.known()
				r.boot(sick)
				r.up(before, sick)
			}
			r.busy(100)
			for _, m := range r.machines {
				if m != sick || !c.ends {
					select {
					case <-m.exited:
						t.Errorf("%s has ended, too: %s", m.id, &m.stderr)
					default:
					}
				}
			}
			r.up(r.known(), r.machines...)
		})
	}
}
