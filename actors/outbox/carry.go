package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/sale"
)

// maxTries of an intent before a person has to look. With the backoff below that is about an hour; the capture of
// an authorised payment is given up sooner, because its seats wait for it.
const (
	maxTries        = 14
	maxCaptureTries = 10
)

const (
	firstPause = 250 * time.Millisecond
	mostPause  = 5 * time.Minute
)

// carry runs one intent and takes the outcome back to the sale.
func (r *runner) carry(ctx context.Context, j *job) {
	in := j.Intent
	started := time.Now()
	answers, err := r.effect(ctx, j)
	r.o.Metrics.ran(in.Kind, err, time.Since(started))
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return // leadership or process is going; the intent stays open
		}
		r.fail(ctx, in, err)
		return
	}
	for i := range answers {
		res, err := r.answer(ctx, in, &answers[i], byte(i))
		switch {
		case err != nil:
			return // not recorded: the intent stays open and runs again
		case res.Refusal == sale.RefusedUnknown:
			return // the sale does not wait for it any more
		case res.Refusal != sale.Done && res.Refusal != sale.RefusedAmount: // of another amount the sale has taken note
			r.fail(ctx, in, fmt.Errorf("the sale refused the outcome with %d", res.Refusal))
			return
		}
	}
}

// answer tells the sale one thing about an intent. It may outlive the attempt's own deadline, but not the leader.
func (r *runner) answer(ctx context.Context, in sale.Intent, c *sale.Command, n byte) (sale.Result, error) {
	c.Intent, c.Order, c.Attempt = in.ID, in.Order, in.Attempt
	c.Key = answerKey(in, c.Op, n)
	res, err := r.o.Sales.Submit(context.WithoutCancel(ctx), r.id, c)
	if err != nil {
		r.o.Logger.Warn("answer to an intent not recorded, it will run again", slog.Int("event", int(r.id)),
			slog.Uint64("intent", in.ID), slog.Any("error", err))
	}
	return res, err
}

// fail tells the sale when to try again, or that a person has to look.
func (r *runner) fail(ctx context.Context, in sale.Intent, err error) {
	r.o.Logger.Warn("intent failed", slog.Int("event", int(r.id)), slog.Uint64("intent", in.ID),
		slog.String("kind", kindName(in.Kind)), slog.Int("tries", int(in.Tries)), slog.Any("error", err))
	c := sale.Command{Op: sale.OpIntentFailed, Text: shorten(err.Error())}
	limit := maxTries
	if in.Kind == sale.IntentCapture {
		limit = maxCaptureTries
	}
	if tries := int(in.Tries) + 1; !errors.Is(err, ErrRefusedByProvider) && tries < limit {
		c.At = r.o.Now().Add(backoff(in.ID, tries)).UnixMilli()
	}
	_, _ = r.answer(ctx, in, &c, 0) // logged there; the intent runs again either way
}

// backoff doubles from a quarter of a second to five minutes, and up to a quarter more, which differs from intent to
// intent.
func backoff(id uint64, tries int) time.Duration {
	d := min(firstPause<<min(max(tries-1, 0), 12), mostPause)
	return d + time.Duration(id*0x9e3779b97f4a7c15>>40)*d/(4<<24)
}

// shorten makes a text that the sale takes: of bounded length and whole characters.
func shorten(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}

// answerKey makes the answer of one attempt exactly-once.
func answerKey(in sale.Intent, op sale.Op, n byte) sale.Key {
	var b [24]byte
	copy(b[:], "int1")
	binary.BigEndian.PutUint64(b[4:], in.ID)
	binary.BigEndian.PutUint16(b[12:], in.Tries)
	b[14], b[15] = byte(op), n
	// A query that is armed again asks anew, also when a notice arms it a moment after its last answer.
	binary.BigEndian.PutUint64(b[16:], uint64(in.Due))
	sum := sha256.Sum256(b[:])
	return sale.Key(sum[:16])
}

// providerKey is the same for every attempt at one intent.
func (r *runner) providerKey(in sale.Intent) string {
	return fmt.Sprintf("%s-e%d-i%d", r.o.KeyPrefix, r.id, in.ID)
}

// effect does the thing and returns the commands that tell the sale about it. A panic of a provider's code is a
// failed attempt: money is not to wait for a new process.
func (r *runner) effect(ctx context.Context, j *job) (answers []sale.Command, err error) {
	in := j.Intent
	defer func() {
		if p := recover(); p != nil {
			r.o.Logger.Error("intent panicked", slog.Int("event", int(r.id)), slog.Uint64("intent", in.ID),
				slog.String("kind", kindName(in.Kind)), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			answers, err = nil, fmt.Errorf("run %s panicked: %v", kindName(in.Kind), p)
		}
	}()
	if !j.ordered {
		return nil, fmt.Errorf("run intent: order %d is unknown: %w", in.Order, ErrRefusedByProvider)
	}
	switch in.Kind {
	case sale.IntentPayStart:
		return r.payStart(ctx, in, j.order, j.cfg)
	case sale.IntentPayQuery:
		p, err := r.o.Payer.Query(ctx, in.Ref)
		return payState(p), err
	case sale.IntentCapture:
		p, err := r.o.Payer.Capture(ctx, in.Ref, r.providerKey(in))
		return payState(p), err
	case sale.IntentVoid:
		p, err := r.o.Payer.Void(ctx, in.Ref, r.providerKey(in))
		return payState(p), err
	case sale.IntentRefund:
		ref, err := r.o.Payer.Refund(ctx, in.Ref, in.Amount, r.providerKey(in))
		return []sale.Command{{Op: sale.OpRefundState, Ref: ref.Ref, Refund: ref.State, Amount: ref.Amount}}, err
	case sale.IntentMail, sale.IntentMailRefund:
		err := r.o.Mailer.Mail(ctx, r.id, in, j.order)
		return []sale.Command{{Op: sale.OpIntentDone}}, err
	default:
		return nil, fmt.Errorf("run intent %d: kind %d is not known to this binary: %w", in.ID, in.Kind, ErrRefusedByProvider)
	}
}

func (r *runner) payStart(ctx context.Context, in sale.Intent, order sale.Order, cfg *sale.Config) ([]sale.Command, error) {
	reference := fmt.Sprintf("o%d-%d", r.id, order.ID)
	p, err := r.o.Payer.Start(ctx, PaymentRequest{
		Key: r.providerKey(in), Event: r.id, Order: order.ID, Attempt: in.Attempt, Method: in.Method,
		Amount: in.Amount, Currency: cfg.Currency, Label: cfg.Name, Reference: reference,
		ReturnURL: r.o.ReturnURL(cfg.Slug, reference), Expires: order.Expires, Lang: order.Lang,
	})
	if err != nil {
		return nil, err
	}
	started := sale.Command{Op: sale.OpPayStarted, Ref: p.Ref, URL: p.URL, Text: p.PixCode}
	if p.State == sale.PayCreated && p.Ref != "" { // which is what being started says
		return []sale.Command{started}, nil
	}
	return append([]sale.Command{started}, payState(p)...), nil
}

func payState(p Payment) []sale.Command {
	return []sale.Command{{
		Op: sale.OpPayState, Ref: p.Ref, Pay: p.State, Amount: p.Amount, Currency: p.Currency, Text: shorten(p.Decline),
	}}
}
