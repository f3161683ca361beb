package storage

import (
	"errors"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/storage/storagetest"
)

// TestModel compares the store with a slice, over reopenings.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		o := options(t, dir)
		o.Shards, o.noSync = 1, true
		s := mustOpen(rt, o)
		defer func() { s.Close() }()
		var model []*raft.Log
		last := func() uint64 {
			if len(model) == 0 {
				return 0
			}
			return model[len(model)-1].Index
		}
		term := uint64(1)
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				from := last() + 1
				switch {
				case len(model) == 0:
					from = rapid.Uint64Range(1, 300).Draw(rt, "start")
				case rapid.IntRange(0, 9).Draw(rt, "gap") == 0:
					from += rapid.Uint64Range(1, 50).Draw(rt, "missing")
				}
				logs := storagetest.Entries(from, from+rapid.Uint64Range(0, 40).Draw(rt, "n"), term)
				for i, l := range logs { // some in a bucket of their own
					if size := rapid.SampledFrom([]int{0, 0, 0, 2000, 2100, 9000}).Draw(rt, "size"); size > 0 {
						logs[i].Data = entryOf(l.Index, size).Data
					}
				}
				if err := s.Shard(0).StoreLogs(logs); err != nil {
					rt.Fatal(err)
				}
				model = append(model, logs...)
			},
			"cut off": func(rt *rapid.T) {
				if len(model) == 0 {
					return
				}
				to := rapid.Uint64Range(model[0].Index, last()+2).Draw(rt, "to")
				if err := s.Shard(0).DeleteRange(model[0].Index, to); err != nil {
					rt.Fatal(err)
				}
				model = slices.DeleteFunc(slices.Clone(model), func(l *raft.Log) bool { return l.Index <= to })
			},
			"take back": func(rt *rapid.T) {
				if len(model) == 0 {
					return
				}
				term++
				from := rapid.Uint64Range(max(model[0].Index, last()-min(last(), 60)), last()).Draw(rt, "from")
				if err := s.Shard(0).DeleteRange(from, last()); err != nil {
					rt.Fatal(err)
				}
				model = slices.DeleteFunc(slices.Clone(model), func(l *raft.Log) bool { return l.Index >= from })
			},
			"reopen": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				s = mustOpen(rt, o)
				compare(rt, s.Shard(0), model)
			},
			"": func(rt *rapid.T) {
				compareEnds(rt, s.Shard(0), model)
			},
		})
		compare(rt, s.Shard(0), model)
	})
}

func mustOpen(rt *rapid.T, o Options) *Store {
	s, err := Open(o)
	if err != nil {
		rt.Fatal(err)
	}
	return s
}

// compareEnds looks where something has changed.
func compareEnds(rt *rapid.T, sh *Shard, model []*raft.Log) {
	first, _ := sh.FirstIndex()
	last, _ := sh.LastIndex()
	var l raft.Log
	if len(model) == 0 {
		if first != 0 || last != 0 {
			rt.Fatalf("%d to %d, want nothing", first, last)
		}
		return
	}
	if first != model[0].Index || last != model[len(model)-1].Index {
		rt.Fatalf("%d to %d, want %d to %d", first, last, model[0].Index, model[len(model)-1].Index)
	}
	for _, want := range append(slices.Clone(model[:min(len(model), 4)]), model[max(0, len(model)-4):]...) {
		if err := sh.GetLog(want.Index, &l); err != nil || l.Term != want.Term || string(l.Data) != string(want.Data) {
			rt.Fatalf("entry %d: term %d, %d bytes, %v", want.Index, l.Term, len(l.Data), err)
		}
	}
}

func compare(rt *rapid.T, sh *Shard, model []*raft.Log) {
	compareEnds(rt, sh, model)
	for i, want := range model {
		var l raft.Log
		if err := sh.GetLog(want.Index, &l); err != nil || l.Term != want.Term || string(l.Data) != string(want.Data) {
			rt.Fatalf("entry %d: term %d, %d bytes, %v", want.Index, l.Term, len(l.Data), err)
		}
		if i == 0 {
			continue
		}
		for at := model[i-1].Index + 1; at < want.Index; at++ {
			if err := sh.GetLog(at, &l); !errors.Is(err, raft.ErrLogNotFound) {
				rt.Fatalf("entry %d in a gap: %v", at, err)
			}
		}
	}
}
