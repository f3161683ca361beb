package sale

// deadlines is a heap of the instants at which holds run out, earliest first, equal ones by hold. Every live hold has
// exactly one entry; an entry may be earlier than the hold's deadline after an extension, or belong to a hold
// that is gone. Such entries are mended when they come to the top, see State.settleDeadlines.
type deadlines []deadline

type deadline struct {
	at   int64
	hold HoldID
}

func (d *deadlines) less(i, j int) bool {
	a, b := &(*d)[i], &(*d)[j]
	if a.at != b.at {
		return a.at < b.at
	}
	return a.hold < b.hold
}

func (d *deadlines) push(x deadline) {
	*d = append(*d, x)
	h := *d
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !d.less(i, up) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// pop removes the earliest entry; there must be one.
func (d *deadlines) pop() deadline {
	h := *d
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	*d = h[:last]
	d.down(0)
	return top
}

func (d *deadlines) down(i int) {
	h := *d
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if d.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
