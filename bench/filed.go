package bench

import (
	"encoding/json"
	"fmt"
	"time"
)

// MaxFiled bounds a journal that was written down, in bytes.
const MaxFiled = 1 << 20

// filed is a journal as it travels between processes. Moments are nanoseconds from one that both know.
type filed struct {
	Account    string         `json:"account"`
	Places     []filedPlace   `json:"places,omitempty"`
	Holds      []filedHold    `json:"holds,omitempty"`
	Orders     []filedOrder   `json:"orders,omitempty"`
	Breaches   []filedFinding `json:"breaches,omitempty"`
	Comebacks  []int64        `json:"comebacks,omitempty"`
	Left       bool           `json:"left,omitempty"`
	Reconnects int64          `json:"reconnects,omitempty"`
	Retries    int64          `json:"retries,omitempty"`
}

// The moments of a note stand in the place of those that it has itself.
type filedPlace struct {
	PlaceNote

	Asked, Told, Heard int64
}

type filedHold struct {
	HoldNote

	Told, Until int64
}

type filedOrder struct {
	OrderNote

	Told, Until int64
}

type filedFinding struct {
	Promise promise `json:"promise"`
	Text    string  `json:"text"`
	At      int64   `json:"at,omitempty"`
}

// since counts a moment from began, and at is the way back. The zero moment stays it.
func since(began, t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if d := int64(t.Sub(began)); d != 0 {
		return d
	}
	return 1
}

func at(began time.Time, ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(ns))
}

// File writes the journal of a fan that has ended down for another process. All moments are counted from began, which
// the other process has to know by its own clock.
func (j *Journal) File(began time.Time) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := filed{Account: j.account, Left: j.left, Reconnects: j.reconnects, Retries: j.retries}
	for _, p := range clonePlaces(j.places) {
		for i := range p.Guesses {
			p.Guesses[i].At -= began.UnixMilli()
		}
		f.Places = append(f.Places, filedPlace{p, since(began, p.Asked), since(began, p.Told), since(began, p.Heard)})
	}
	for _, h := range j.holds {
		f.Holds = append(f.Holds, filedHold{h, since(began, h.Told), since(began, h.Until)})
	}
	for _, o := range j.orders {
		f.Orders = append(f.Orders, filedOrder{o, since(began, o.Told), since(began, o.Until)})
	}
	for _, b := range j.breaches {
		f.Breaches = append(f.Breaches, filedFinding{b.promise, b.text, since(began, b.at)})
	}
	for _, c := range j.comebacks {
		f.Comebacks = append(f.Comebacks, since(began, c))
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("write journal down: %w", err)
	}
	return b, nil
}

// Filed reads what [Journal.File] of another process wrote. Began is the same moment by this process's clock, and unsure
// by how much it may be off: an audit takes between two processes only for certain what is so in spite of it.
func Filed(b []byte, began time.Time, unsure time.Duration) (*Journal, error) {
	if len(b) > MaxFiled {
		return nil, fmt.Errorf("read journal: %d bytes are too many", len(b))
	}
	var f filed
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	if len(f.Breaches) > maxBreaches || len(f.Comebacks) > maxComebacks {
		return nil, fmt.Errorf("read journal: it holds %d breaches and %d comebacks", len(f.Breaches), len(f.Comebacks))
	}
	j := &Journal{account: f.Account, left: f.Left, reconnects: f.Reconnects, retries: f.Retries, unsure: unsure}
	for _, p := range f.Places {
		p.PlaceNote.Asked, p.PlaceNote.Told, p.PlaceNote.Heard = at(began, p.Asked), at(began, p.Told), at(began, p.Heard)
		if len(p.Guesses) > maxGuesses {
			return nil, fmt.Errorf("read journal: place %d has %d guesses", p.Number, len(p.Guesses))
		}
		for i := range p.Guesses {
			p.Guesses[i].At += began.UnixMilli()
		}
		j.places = append(j.places, p.PlaceNote)
	}
	for _, h := range f.Holds {
		h.HoldNote.Told, h.HoldNote.Until = at(began, h.Told), at(began, h.Until)
		j.holds = append(j.holds, h.HoldNote)
	}
	for _, o := range f.Orders {
		o.OrderNote.Told, o.OrderNote.Until = at(began, o.Told), at(began, o.Until)
		j.orders = append(j.orders, o.OrderNote)
	}
	for _, one := range f.Breaches {
		if one.Promise < 0 || one.Promise >= promises {
			return nil, fmt.Errorf("read journal: promise %d is not known", one.Promise)
		}
		j.breaches = append(j.breaches, finding{promise: one.Promise, text: one.Text, at: at(began, one.At)})
	}
	for _, c := range f.Comebacks {
		j.comebacks = append(j.comebacks, at(began, c))
	}
	return j, nil
}
