package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// redisPeer is one Redis server which syncs its log before it answers.
type redisPeer struct {
	dir     string
	run     *server
	client  *redis.Client
	version string
	next    atomic.Int64
}

func openRedis(ctx context.Context) (peer, error) {
	binary, err := find("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	p := &redisPeer{}
	if p.dir, err = folder(); err != nil {
		return nil, err
	}
	if err := p.start(ctx, binary); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *redisPeer) start(ctx context.Context, binary string) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	if p.run, err = startServer(p.dir, "redis", binary, redisArgs(p.dir, ports[0])...); err != nil {
		return err
	}
	p.client = redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:" + strconv.Itoa(ports[0]), PoolSize: maxClients, MaxRetries: -1, DisableIdentity: true, Protocol: 2,
	})
	if err := p.run.until(ctx, "Redis", func(ctx context.Context) error { return p.client.Ping(ctx).Err() }); err != nil {
		return err
	}
	is, err := p.client.ConfigGet(ctx, "append*").Result()
	if err != nil || is["appendfsync"] != "always" || is["appendonly"] != "yes" {
		return fmt.Errorf("the log is not synced before each answer: %v: %w", is, errors.Join(err))
	}
	info, err := p.client.Info(ctx, "server").Result()
	_, after, _ := strings.Cut(info, "redis_version:")
	p.version, _, _ = strings.Cut(after, "\r")
	return err
}

// redisArgs are the settings: the log is synced before each answer, and there are no snapshots.
func redisArgs(dir string, port int) []string {
	return []string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always",
		"--save", "", "--daemonize", "no", "--maxclients", "5000",
	}
}

// Version implements peer.
func (p *redisPeer) Version() string { return "Redis " + p.version }

// Work implements peer.
func (p *redisPeer) Work() []Form {
	return []Form{{"hold", "Lua"}, {"best", "Lua"}, {"join", "ZADD NX + ZRANK"}}
}

// Scripts: take a seat if nobody has it, take the first that is free.
const (
	luaHold = `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end redis.call('SET', KEYS[1], ARGV[1], 'EX', 600) return 1`
	luaBest = `local s = redis.call('ZPOPMIN', KEYS[1]) if #s == 0 then return 0 end redis.call('SET', 'seat:' .. s[1], ARGV[1], 'EX', 600) return 1`
)

// Prepare implements peer.
func (p *redisPeer) Prepare(ctx context.Context, f Form, seconds float64) error {
	p.next.Store(waiting)
	if err := p.client.FlushAll(ctx).Err(); err != nil {
		return err
	}
	key, n := "", 0
	switch f.Work {
	case "best":
		key, n = "free", 20_000+int(150_000*seconds)
	case "join":
		key, n = "queue", waiting
	}
	const batch = 1000
	for from := 0; from < n; from += batch {
		var members []redis.Z
		for i := from; i < min(from+batch, n); i++ {
			members = append(members, redis.Z{Score: float64(i), Member: i})
		}
		if err := p.client.ZAdd(ctx, key, members...).Err(); err != nil {
			return err
		}
	}
	return nil
}

// Client implements peer. The clients share a pool that has a connection for each.
func (p *redisPeer) Client(ctx context.Context, f Form, _ int) (func(context.Context) error, error) {
	if f.Work == "join" {
		return p.join, p.client.Ping(ctx).Err()
	}
	script, key := redis.NewScript(luaHold), ""
	if f.Work == "best" {
		script, key = redis.NewScript(luaBest), "free"
	}
	if err := script.Load(ctx, p.client).Err(); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		n, key := p.next.Add(1), key
		if key == "" {
			key = "seat:" + strconv.FormatInt(n, 10)
		}
		took, err := script.EvalSha(ctx, p.client, []string{key}, n).Int()
		if err == nil && took != 1 {
			err = errSoldOut
		}
		return err
	}, nil
}

// join takes a place and asks for its rank with one write to the socket.
func (p *redisPeer) join(ctx context.Context) error {
	n := p.next.Add(1)
	member := strconv.FormatInt(n, 10)
	both := p.client.Pipeline()
	both.ZAddNX(ctx, "queue", redis.Z{Score: float64(n), Member: member})
	rank := both.ZRank(ctx, "queue", member)
	_, err := both.Exec(ctx)
	if err == nil && rank.Val() < waiting {
		err = fmt.Errorf("the rank is %d, behind %d", rank.Val(), waiting)
	}
	return err
}

// Stop implements peer.
func (p *redisPeer) Stop() {
	if p.client != nil {
		_ = p.client.Close() // the server ends anyway
	}
	p.run.stop()
	_ = os.RemoveAll(p.dir) // a leftover in the temporary folder
}
