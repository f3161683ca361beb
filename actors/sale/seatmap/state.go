package seatmap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/catraca/catraca/actors/sale/slab"
)

const stateVersion = 1

// AppendBinary appends the state of the inventory to dst, without the plan. The bytes depend on the state alone:
//
//	version 1, seats u32, areas u32 | 2 bits of status a seat, rounded up to bytes |
//	owner u32 of every held or sold seat, in unit order | held, sold, blocked u32 of every area
//
// All integers are big-endian.
func (v *Inventory) AppendBinary(dst []byte) []byte {
	f := v.Look()
	return f.AppendBinary(dst)
}

// Frozen is what a snapshot has of an inventory, as it was at one moment. It does not change and may be read by any number
// of goroutines.
type Frozen struct {
	status []Status
	owner  slab.View[uint32]
	areas  []tally
}

// Freeze takes the inventory as it is. It copies a byte for each seat and 16 for each area.
func (v *Inventory) Freeze() Frozen {
	return Frozen{status: slices.Clone(v.status), owner: v.owner.Freeze(), areas: slices.Clone(v.areas)}
}

// Look is like Freeze, but good only until the next call.
func (v *Inventory) Look() Frozen {
	return Frozen{status: v.status, owner: v.owner.View, areas: v.areas}
}

// AppendBinary appends what Inventory.AppendBinary would have at that moment.
func (v *Frozen) AppendBinary(dst []byte) []byte {
	seats := len(v.status)
	dst = append(dst, stateVersion)
	dst = binary.BigEndian.AppendUint32(dst, uint32(seats))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.areas)))
	var bits byte
	for i, st := range v.status {
		bits |= byte(st) << (i % 4 * 2)
		if i%4 == 3 {
			dst, bits = append(dst, bits), 0
		}
	}
	if seats%4 != 0 {
		dst = append(dst, bits)
	}
	for i, st := range v.status {
		if st == Held || st == Sold {
			dst = binary.BigEndian.AppendUint32(dst, v.owner.Get(i))
		}
	}
	for i := range v.areas {
		for _, st := range [3]Status{Held, Sold, Blocked} {
			dst = binary.BigEndian.AppendUint32(dst, v.areas[i][st])
		}
	}
	return dst
}

// Restore takes over a state written by AppendBinary for the same plan and returns how many bytes it read. On an error the
// inventory is unchanged.
func (v *Inventory) Restore(b []byte) (n int, err error) {
	const head = 9
	if len(b) < head {
		return 0, errors.New("restore inventory: state is cut short in its head")
	}
	if b[0] != stateVersion {
		return 0, fmt.Errorf("restore inventory: version %d, this build reads %d", b[0], stateVersion)
	}
	seats, areas := binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:])
	if int(seats) != v.seats || int(areas) != len(v.areas) {
		return 0, fmt.Errorf("restore inventory: state has %d seats and %d areas, the plan has %d and %d",
			seats, areas, v.seats, len(v.areas))
	}
	if n, err = v.checkState(b, head); err != nil {
		return 0, err
	}
	packed, at := b[head:], head+(v.seats+3)/4
	for i := range v.status {
		st := Status(packed[i/4] >> (i % 4 * 2) & 3)
		owner := uint32(0)
		if st == Held || st == Sold {
			owner = binary.BigEndian.Uint32(b[at:])
			at += 4
		}
		v.status[i] = st
		*v.owner.Mut(i) = owner
	}
	for i := range v.areas {
		a := tally{}
		rest := v.plan.Areas[i].Capacity
		for _, st := range [3]Status{Held, Sold, Blocked} {
			a[st] = binary.BigEndian.Uint32(b[at:])
			rest -= a[st]
			at += 4
		}
		a[Free] = rest
		v.areas[i] = a
	}
	clear(v.cache.fresh)
	v.recount()
	return n, nil
}

// checkState walks a state without taking it over and returns its length.
func (v *Inventory) checkState(b []byte, head int) (int, error) {
	at := head + (v.seats+3)/4
	if len(b) < at {
		return 0, errors.New("restore inventory: state is cut short in the seats")
	}
	packed := b[head:at]
	if r := v.seats % 4; r != 0 && packed[len(packed)-1]>>(2*r) != 0 {
		return 0, errors.New("restore inventory: bits beyond the last seat are set")
	}
	for i := range v.seats {
		if st := Status(packed[i/4] >> (i % 4 * 2) & 3); st != Held && st != Sold {
			continue
		}
		if len(b) < at+4 {
			return 0, fmt.Errorf("restore inventory: state is cut short in the owner of seat %d", i)
		}
		if binary.BigEndian.Uint32(b[at:]) == 0 {
			return 0, fmt.Errorf("restore inventory: seat %d is taken by nobody", i)
		}
		at += 4
	}
	if len(b) < at+12*len(v.areas) {
		return 0, errors.New("restore inventory: state is cut short in the areas")
	}
	for i := range v.areas {
		sum := uint64(0)
		for range 3 {
			sum += uint64(binary.BigEndian.Uint32(b[at:]))
			at += 4
		}
		if c := v.plan.Areas[i].Capacity; sum > uint64(c) {
			return 0, fmt.Errorf("restore inventory: area %d has %d places taken of %d", i, sum, c)
		}
	}
	return at, nil
}

// recount rebuilds every count from the slabs.
func (v *Inventory) recount() {
	v.total = tally{}
	clear(v.categories)
	clear(v.ordinary)
	for i, st := range v.status {
		k := &v.ix.blocks[v.ix.blockOf[i]]
		v.categories[k.category][st]++
		v.total[st]++
		if st == Free && !k.special {
			v.ordinary[k.category]++
		}
	}
	for i := range v.areas {
		c := &v.categories[v.plan.Areas[i].Category]
		for st, n := range v.areas[i] {
			c[st] += n
			v.total[st] += n
		}
	}
}

// Verify recounts everything from the slabs and compares it with the running counts: every seat has an owner exactly while it is
// held or sold, and free + held + sold + blocked is the capacity of every area and category and of the plan.
func (v *Inventory) Verify() error {
	w := Inventory{plan: v.plan, ix: v.ix, seats: v.seats, status: v.status, areas: v.areas,
		categories: make([]tally, len(v.categories)), ordinary: make([]uint32, len(v.ordinary))}
	for i, st := range v.status {
		if st > Blocked {
			return fmt.Errorf("verify inventory: seat %d has status %d", i, st)
		}
		if taken := st == Held || st == Sold; taken != (v.owner.Get(i) != 0) {
			return fmt.Errorf("verify inventory: seat %d has status %d and owner %d", i, st, v.owner.Get(i))
		}
	}
	capacity := make([]uint64, len(v.categories))
	for i := range v.plan.Seats {
		capacity[v.plan.Seats[i].Category]++
	}
	for i := range v.areas {
		a := &v.plan.Areas[i]
		sum := uint64(0)
		for _, n := range v.areas[i] {
			sum += uint64(n)
		}
		if sum != uint64(a.Capacity) {
			return fmt.Errorf("verify inventory: area %d adds up to %d places of %d", i, sum, a.Capacity)
		}
		capacity[a.Category] += sum
	}
	w.recount()
	for i := range w.categories {
		if w.categories[i] != v.categories[i] || w.ordinary[i] != v.ordinary[i] {
			return fmt.Errorf("verify inventory: category %d counts %v, its places %v", i, v.categories[i], w.categories[i])
		}
		if c := w.categories[i].count(); uint64(c.Capacity) != capacity[i] {
			return fmt.Errorf("verify inventory: category %d adds up to %d places of %d", i, c.Capacity, capacity[i])
		}
	}
	if w.total != v.total {
		return fmt.Errorf("verify inventory: total counts %v, its places %v", v.total, w.total)
	}
	return nil
}
