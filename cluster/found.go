package cluster

import (
	"fmt"

	"github.com/hashicorp/raft"
)

// keyCandidate is the stable key under which raft keeps whom it has voted for.
const keyCandidate = "LastVoteCand"

// clearHalfFounded lets a shard be founded again whose founding was cut short. raft.BootstrapCluster writes its term
// first and the configuration after it, and takes a shard that has the one and not the other for founded: it would wait
// for ever for a leader nobody can be. Such a shard has no entry, no snapshot and has never voted, so nobody has been
// promised anything.
func (g *group) clearHalfFounded() error {
	term, err := g.log.GetUint64([]byte(keyTerm))
	if err != nil || term != 1 {
		return err
	}
	last, err := g.log.LastIndex()
	if err != nil || last > 0 {
		return err
	}
	if voted, err := g.log.Get([]byte(keyCandidate)); err != nil || len(voted) > 0 {
		return err
	}
	if metas, err := g.snaps.List(); err != nil || len(metas) > 0 {
		return err
	}
	g.node.opt.Logger.Info("shard founded again, it was cut short", "shard", g.id)
	if err := g.log.SetUint64([]byte(keyTerm), 0); err != nil {
		return fmt.Errorf("clear term: %w", err)
	}
	return nil
}

// found makes the configuration of the first start, where there is nothing yet.
func (g *group) found(conf *raft.Config, c raft.Configuration) error {
	if err := g.clearHalfFounded(); err != nil {
		return err
	}
	return raft.BootstrapCluster(conf, g.log, g.log, g.snaps, g.trans, c)
}
