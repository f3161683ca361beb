package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Work implements peer.
func (p *postgres) Work() []Form {
	return []Form{
		{"hold", "transaction"}, {"hold", "one statement"}, {"best", "transaction"}, {"best", "one statement"},
		{"join", "insert, count"}, {"join", "one statement"},
	}
}

// The statements. A hold is a seat that is taken for ten minutes and an order that names it.
const (
	takeSeat = `UPDATE seats SET holder = $1, until = now() + interval '10 minutes' WHERE id = $2 AND (holder IS NULL OR until < now())`
	keepNote = `INSERT INTO orders (account, seat) VALUES ($1, $2)`
	takeAll  = `WITH s AS (` + takeSeat + ` RETURNING id) INSERT INTO orders (account, seat) SELECT $1, id FROM s RETURNING seat`
	findBest = `SELECT id FROM seats WHERE holder IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
	bestAll  = `WITH b AS (` + findBest + `), s AS (UPDATE seats SET holder = $1, until = now() + interval '10 minutes' FROM b WHERE seats.id = b.id RETURNING seats.id)
		INSERT INTO orders (account, seat) SELECT $1, id FROM s RETURNING seat`
	joinLine = `INSERT INTO places (account) VALUES ($1) RETURNING number`
	countAll = `SELECT count(*) FROM places WHERE waiting AND number < $1`
	joinAll  = `WITH me AS (` + joinLine + `) SELECT (SELECT count(*) FROM places p WHERE p.waiting AND p.number < me.number) FROM me`
)

// Prepare implements peer. There are more seats than can be sold in the time.
func (p *postgres) Prepare(ctx context.Context, f Form, seconds float64) error {
	p.seats = 20_000 + int64(60_000*seconds)
	p.seat.Store(0)
	p.fan.Store(waiting)
	fill := fmt.Sprintf(`INSERT INTO seats (id) SELECT generate_series(1, %d)`, p.seats)
	if f.Work == "join" {
		fill = fmt.Sprintf(`INSERT INTO places (account) SELECT generate_series(1, %d)`, waiting)
	}
	for _, q := range []string{
		`DROP TABLE IF EXISTS seats, orders, places`,
		`CREATE TABLE seats (id bigint PRIMARY KEY, holder bigint, until timestamptz)`,
		`CREATE INDEX seats_free ON seats (id) WHERE holder IS NULL`,
		`CREATE TABLE orders (id bigserial PRIMARY KEY, account bigint NOT NULL, seat bigint NOT NULL, made timestamptz NOT NULL DEFAULT now())`,
		`CREATE TABLE places (number bigserial PRIMARY KEY, account bigint NOT NULL UNIQUE, waiting boolean NOT NULL DEFAULT true)`,
		`CREATE INDEX places_waiting ON places (number) WHERE waiting`,
		fill, `VACUUM ANALYZE seats, places, orders`, `CHECKPOINT`,
	} {
		if _, err := p.admin.Exec(ctx, q); err != nil {
			return fmt.Errorf("%.40s: %w", q, err)
		}
	}
	for _, c := range p.conns { // the tables that their statements were prepared for are gone
		_ = c.Close(ctx) // as good as closed
	}
	p.conns = nil
	return nil
}

var errSoldOut = errors.New("there are no more seats")

// Client implements peer. Every client has a connection of its own.
func (p *postgres) Client(ctx context.Context, f Form, _ int) (func(context.Context) error, error) {
	c, err := pgx.Connect(ctx, p.address)
	if err != nil {
		return nil, err
	}
	p.conns = append(p.conns, c)
	do := map[Form]func(context.Context) error{
		{"hold", "transaction"}:   func(ctx context.Context) error { return p.hold(ctx, c) },
		{"hold", "one statement"}: func(ctx context.Context) error { return p.one(ctx, c, 1, takeAll, p.fan.Add(1), p.seat.Add(1)) },
		{"best", "transaction"}:   func(ctx context.Context) error { return p.best(ctx, c) },
		{"best", "one statement"}: func(ctx context.Context) error { return p.one(ctx, c, 1, bestAll, p.fan.Add(1)) },
		{"join", "insert, count"}: func(ctx context.Context) error { return p.join(ctx, c) },
		{"join", "one statement"}: func(ctx context.Context) error { return p.one(ctx, c, waiting, joinAll, p.fan.Add(1)) },
	}[f]
	return do, nil
}

// one does a work with one statement, which returns a number if it was done: at least this one.
func (p *postgres) one(ctx context.Context, c *pgx.Conn, least int64, statement string, args ...any) error {
	var got int64
	err := c.QueryRow(ctx, statement, args...).Scan(&got)
	if errors.Is(err, pgx.ErrNoRows) {
		return errSoldOut
	}
	if err == nil && got < least {
		err = fmt.Errorf("the answer is %d, which is less than %d", got, least)
	}
	return err
}

// hold takes a named seat in a transaction.
func (p *postgres) hold(ctx context.Context, c *pgx.Conn) error {
	account, seat := p.fan.Add(1), p.seat.Add(1)
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		took, err := tx.Exec(ctx, takeSeat, account, seat)
		if err != nil {
			return err
		}
		if took.RowsAffected() != 1 {
			return errSoldOut
		}
		_, err = tx.Exec(ctx, keepNote, account, seat)
		return err
	})
}

// best takes the first seat that is free and that nobody else is about to take.
func (p *postgres) best(ctx context.Context, c *pgx.Conn) error {
	account := p.fan.Add(1)
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		var seat int64
		if err := tx.QueryRow(ctx, findBest).Scan(&seat); errors.Is(err, pgx.ErrNoRows) {
			return errSoldOut
		} else if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, takeSeat, account, seat); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, keepNote, account, seat)
		return err
	})
}

// join takes the last place of the line and counts those before it.
func (p *postgres) join(ctx context.Context, c *pgx.Conn) error {
	var number int64
	if err := c.QueryRow(ctx, joinLine, p.fan.Add(1)).Scan(&number); err != nil {
		return err
	}
	return p.one(ctx, c, waiting, countAll, number)
}
