package sale

import (
	"bytes"
	"testing"
)

// FuzzDecode: any bytes are refused or are exactly one command, and every command that can be read can be carried out.
func FuzzDecode(f *testing.F) {
	full := fullCommand(f)
	f.Add(AppendCommand(nil, &full))
	for op := range OpEpoch + 1 {
		f.Add(AppendCommand(nil, &Command{
			Op: op, Account: 1, Hold: 1, Order: 1, Ticket: 1, Intent: 1, Attempt: 1, Version: 1, Method: MethodPix,
			Pay: PayCaptured, Refund: RefundSucceeded, Amount: 22_000, Currency: "BRL", Ref: "pi_1",
		}))
	}
	seed := richState(f)
	snapshot := seed.AppendSnapshot(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Decoder
		var c Command
		if d.Decode(b, &c) != nil {
			return
		}
		if again := AppendCommand(nil, &c); !bytes.Equal(again, b) {
			t.Fatalf("%x came back as %x", b, again)
		}
		s, err := Restore(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		s.Begin(s.Index()+1, s.Clock()+second)
		s.Do(&c)
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(); err != nil {
			t.Fatalf("after %+v: %v", c, err)
		}
	})
}

func FuzzDecodeConfig(f *testing.F) {
	cfg := storyConfig(storyPlan(4, 2, 100, 10))
	f.Add(AppendConfig(nil, &cfg))
	cfg.Epoch = 5
	f.Add(AppendConfig(nil, &cfg))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeConfig(b)
		if err != nil {
			return
		}
		if again := AppendConfig(nil, c); !bytes.Equal(again, b) {
			t.Fatalf("%x came back as %x", b, again)
		}
		if _, err := New(*c); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzRestore: any bytes are refused or are a sound sale that goes on.
func FuzzRestore(f *testing.F) {
	f.Add(richState(f).AppendSnapshot(nil))
	cfg := storyConfig(storyPlan(2, 0, 100, 10))
	s, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.AppendSnapshot(nil))
	cfg.Epoch = 5
	if s, err = New(cfg); err != nil {
		f.Fatal(err)
	}
	f.Add(s.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Restore(b)
		if err != nil {
			return
		}
		if again := s.AppendSnapshot(nil); !bytes.Equal(again, b) {
			t.Fatal("another snapshot of the same state")
		}
		for range 3 {
			s.Begin(s.Index()+1, s.Clock()+20*minute)
			s.Do(&Command{Op: OpHold, Account: 1, Lines: []Line{{Unit: 0, Count: 1}}})
			if err := s.End(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}
