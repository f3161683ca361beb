package network

import "time"

// piece is what arrives at one moment.
type piece struct {
	at   time.Time
	data []byte // empty: the end of the connection
}

// queue is the pieces under way, in the order they arrive. It keeps nothing while it is empty.
type queue struct {
	list  []piece
	bytes int
}

func (q *queue) push(p piece) {
	q.list = append(q.list, p)
	q.bytes += len(p.data)
}

// take copies to b what has arrived, at most one piece.
func (q *queue) take(b []byte) int {
	head := &q.list[0]
	n := copy(b, head.data)
	q.bytes -= n
	if head.data = head.data[n:]; len(head.data) == 0 {
		q.pop()
	}
	return n
}

func (q *queue) pop() piece {
	head := q.list[0]
	q.list[0] = piece{}
	if q.list = q.list[1:]; len(q.list) == 0 {
		q.list = nil
	}
	return head
}

func (q *queue) empty() bool { return len(q.list) == 0 }

func (q *queue) clear() { *q = queue{} }
