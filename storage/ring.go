package storage

import "github.com/hashicorp/raft"

// entryOverhead is what an entry costs in memory beside its bytes.
const entryOverhead = 128

// ring holds the newest entries without a gap, at most limit bytes of them, so that replication and restarts of the
// followers do not read the file. Entries share their Data with whoever appended them; nobody may change it.
type ring struct {
	logs  []raft.Log // logs[head:] are held
	head  int
	bytes int
	limit int
}

func (r *ring) push(l *raft.Log) {
	if n := len(r.logs); n > r.head && l.Index != r.logs[n-1].Index+1 {
		r.reset()
	}
	size := entrySize(l) + entryOverhead
	if size > r.limit {
		r.reset()
		return
	}
	r.logs = append(r.logs, *l)
	r.bytes += size
	for r.bytes > r.limit {
		r.evict()
	}
}

func (r *ring) get(index uint64, l *raft.Log) bool {
	if r.head == len(r.logs) || index < r.logs[r.head].Index {
		return false
	}
	i := index - r.logs[r.head].Index
	if i >= uint64(len(r.logs)-r.head) {
		return false
	}
	*l = r.logs[r.head+int(i)]
	return true
}

// dropFrom forgets index and everything after it.
func (r *ring) dropFrom(index uint64) {
	for n := len(r.logs); n > r.head && r.logs[n-1].Index >= index; n-- {
		r.bytes -= entrySize(&r.logs[n-1]) + entryOverhead
		r.logs[n-1] = raft.Log{}
		r.logs = r.logs[:n-1]
	}
}

// dropTo forgets index and everything before it.
func (r *ring) dropTo(index uint64) {
	for r.head < len(r.logs) && r.logs[r.head].Index <= index {
		r.evict()
	}
}

func (r *ring) evict() {
	r.bytes -= entrySize(&r.logs[r.head]) + entryOverhead
	r.logs[r.head] = raft.Log{}
	r.head++
	if r.head >= 64 && r.head*2 >= len(r.logs) {
		n := copy(r.logs, r.logs[r.head:])
		clear(r.logs[n:])
		r.logs, r.head = r.logs[:n], 0
	}
}

func (r *ring) reset() {
	clear(r.logs)
	r.logs, r.head, r.bytes = r.logs[:0], 0, 0
}
