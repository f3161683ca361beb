package account

import (
	"bytes"
	"strings"
	"testing"
)

func TestEpochOnlyRises(t *testing.T) {
	s := New(3)
	owner := person(1)
	owner.Role = RoleOwner
	done(t, s, 1000, owner)
	for _, c := range []struct {
		actor ID
		to    uint32
		want  Refusal
		epoch uint8
	}{
		{0, 0, RefusedState, 0},
		{0, MaxEpoch + 1, RefusedInvalid, 0},
		{1, 2, RefusedRole, 0}, // an owner is not the house
		{0, 2, Done, 2},
		{0, 2, RefusedState, 2},
		{0, 1, RefusedState, 2},
		{0, MaxEpoch, Done, MaxEpoch},
		{0, MaxEpoch, RefusedState, MaxEpoch},
	} {
		booked := s.AuditCount()
		r := apply(t, s, s.Clock(), Command{Op: OpEpoch, Actor: c.actor, Count: c.to})[0]
		if r.Refusal != c.want || s.Epoch() != c.epoch {
			t.Errorf("account %d raises to %d: %v, epoch %d, want %v and %d", c.actor, c.to, r.Refusal, s.Epoch(), c.want, c.epoch)
		}
		if r.Refusal == Done && (r.Number != uint64(c.epoch) || s.AuditCount() != booked+1) || r.Refusal != Done && s.AuditCount() != booked {
			t.Errorf("raised to %d: answered %d, %d entries booked", c.to, r.Number, s.AuditCount()-booked)
		}
		verified(t, s)
	}
	last := s.AuditTail(1)[0]
	if last.Action != "epoch.raise" || last.Actor != 0 || last.Target != "epoch/63" || last.Before == last.After {
		t.Errorf("booked %+v", last)
	}
}

// What was never restored keeps the bytes it had before there were epochs; what was is of another version, and both
// are read.
func TestEpochInTheSnapshot(t *testing.T) {
	s := full(t)
	first := s.AppendSnapshot(nil)
	if !strings.HasPrefix(string(first), "catraca accounts 1\n") {
		t.Fatalf("begins with %q", first[:19])
	}
	done(t, s, s.Clock(), Command{Op: OpEpoch, Count: 3, Reason: "restored"})
	frozen := freezeNow(t, s)
	later := s.AppendSnapshot(nil)
	if !strings.HasPrefix(string(later), "catraca accounts 2\n\x03") {
		t.Fatalf("begins with %q", later[:20])
	}
	if again := reborn(t, s); again.Epoch() != 3 {
		t.Errorf("restored in epoch %d", again.Epoch())
	}
	if old, err := Restore(first); err != nil || old.Epoch() != 0 {
		t.Errorf("without an epoch: %v", err)
	}
	done(t, s, s.Clock(), Command{Op: OpEpoch, Count: 4})
	frozen.check(t)
	for _, epoch := range []byte{0, MaxEpoch + 1} {
		b := bytes.Clone(later)
		b[19] = epoch
		if _, err := Restore(b); err == nil {
			t.Errorf("a snapshot of version 2 in epoch %d was read", epoch)
		}
	}
}
