package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// waiting is how many stand in the queue before anybody joins.
const waiting = 100_000

// postgres is one PostgreSQL server. Its settings are Debian's and the program's own, fsync and synchronous commit on,
// and a quarter of a gigabyte of shared buffers, in which everything fits.
type postgres struct {
	dir     string
	run     *server
	address string
	version string
	admin   *pgx.Conn

	conns []*pgx.Conn // of clients, kept from work to work
	seat  atomic.Int64
	fan   atomic.Int64
	seats int64
}

func openPostgres(ctx context.Context) (peer, error) {
	const install = "postgresql"
	initdb, err := find("initdb", install, "/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	binary, err := find("postgres", install, "/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return nil, err
	}
	p := &postgres{}
	if p.dir, err = folder(); err != nil {
		return nil, err
	}
	if err := p.start(ctx, initdb, binary); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *postgres) start(ctx context.Context, initdb, binary string) error {
	data := filepath.Join(p.dir, "data")
	first := exec.CommandContext(ctx, initdb, "-D", data, "-U", "catraca", "-A", "trust", "-E", "UTF8", "--no-locale")
	first.Dir = p.dir
	if err := apart(first); err != nil {
		return err
	}
	if said, err := first.CombinedOutput(); err != nil {
		return fmt.Errorf("make a database: %w: %s", err, said)
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	if p.run, err = startServer(p.dir, "postgres", binary, postgresArgs(data, p.dir, ports[0])...); err != nil {
		return err
	}
	p.address = fmt.Sprintf("host=127.0.0.1 port=%d user=catraca dbname=postgres sslmode=disable", ports[0])
	err = p.run.until(ctx, "PostgreSQL", func(ctx context.Context) (err error) {
		p.admin, err = pgx.Connect(ctx, p.address)
		return err
	})
	if err != nil {
		return err
	}
	for _, setting := range []string{"fsync", "synchronous_commit"} {
		var is string
		if err := p.admin.QueryRow(ctx, "SHOW "+setting).Scan(&is); err != nil || is != "on" {
			return fmt.Errorf("%s is %q and not on: %w", setting, is, errors.Join(err))
		}
	}
	err = p.admin.QueryRow(ctx, "SHOW server_version").Scan(&p.version)
	p.version, _, _ = strings.Cut(p.version, " ") // the rest is whose package it is
	return err
}

// postgresArgs are the settings: durable, and with room for the clients.
func postgresArgs(data, sockets string, port int) []string {
	args := []string{"-D", data, "-p", strconv.Itoa(port), "-k", sockets, "-h", "127.0.0.1"}
	for _, setting := range []string{
		"fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB", "max_wal_size=4GB", "max_connections=200",
	} {
		args = append(args, "-c", setting)
	}
	return args
}

// Version implements peer.
func (p *postgres) Version() string { return "PostgreSQL " + p.version }

// Stop implements peer.
func (p *postgres) Stop() {
	ctx := context.Background()
	for _, c := range append(p.conns, p.admin) {
		if c != nil {
			_ = c.Close(ctx) // the server ends anyway
		}
	}
	p.run.stop()
	_ = os.RemoveAll(p.dir) // a leftover in the temporary folder
}
