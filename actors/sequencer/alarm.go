package sequencer

import (
	"math"
	"time"
)

const (
	// minTick is the shortest time between two entries that only move time.
	minTick = 50 * time.Millisecond
	// lookAgain is how late a jump of the wall clock is noticed by a machine that nobody asks anything.
	lookAgain = 5 * time.Second
)

// alarm wakes the actor. It measures durations, so the wall clock may jump.
type alarm struct {
	timer  *time.Timer
	fires  time.Time // zero: not running
	ticked time.Time // when the last entry that only moves time was proposed
}

// set makes the alarm go off after wait, unless it goes off sooner anyway.
func (c *alarm) set(wait time.Duration, ring func()) {
	at := time.Now().Add(wait)
	if !c.fires.IsZero() && !at.Before(c.fires) {
		return
	}
	c.fires = at
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, ring)
		return
	}
	c.timer.Reset(wait)
}

func (c *alarm) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.fires = time.Time{}
}

// arm sets the alarm for the next instant at which time alone changes the machine.
func (a *owner[M, R]) arm() {
	if !a.leader {
		return
	}
	due := a.m.Due()
	if due == math.MaxInt64 {
		return
	}
	wait := lookAgain
	if left := due - a.o.Now(); left < lookAgain.Milliseconds() {
		wait = max(time.Duration(left)*time.Millisecond, minTick)
	}
	a.clock.set(wait, func() { a.h.send(tick{}) })
}

// tick proposes an empty batch when something is due and nothing else is on its way to move time.
func (a *owner[M, R]) tick() {
	a.clock.fires = time.Time{}
	if !a.leader {
		return
	}
	idle := len(a.flight) == 0 && a.room() && !a.refill()
	if idle && a.m.Due() <= a.o.Now() && time.Since(a.clock.ticked) >= minTick {
		a.clock.ticked = time.Now()
		a.send(a.spare(), KindBatch, beginEntry(nil))
	}
	a.arm()
}
