package issue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/mail"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

// Sender delivers one letter. Package mail has it.
type Sender interface {
	Send(ctx context.Context, m mail.Message) error
}

// Mailer writes to buyers: the tickets as PDF and calendar entry, and that money is on its way back. It implements
// outbox.Mailer. The same intent gives the same letter with the same Message-ID. Safe for many goroutines.
type Mailer struct {
	Issuer *Issuer
	Sender Sender
	// Virtual fans of a rehearsal get letters too: for a sink that keeps them. Their addresses exist nowhere, so a
	// relay would only have them bounce.
	Virtual bool
}

var _ outbox.Mailer = (*Mailer)(nil)

// NewMailer returns a mailer that writes to people only, not to virtual fans.
func NewMailer(i *Issuer, s Sender) *Mailer { return &Mailer{Issuer: i, Sender: s} }

// Mail writes and sends one letter. To an account that was erased since nothing is sent. The error wraps
// [outbox.ErrRefusedByProvider] when trying again cannot help.
func (m *Mailer) Mail(ctx context.Context, id sale.EventID, in sale.Intent, order sale.Order) error {
	who, ok, err := m.Issuer.People.Person(ctx, account.ID(order.Account))
	if err != nil {
		return fmt.Errorf("find recipient: %w", err)
	}
	if !ok || who.Virtual && !m.Virtual {
		return nil
	}
	var letter mail.Message
	if in.Kind == sale.IntentMailRefund {
		letter, err = m.refund(ctx, id, in, order, who)
	} else {
		letter, err = m.confirmation(ctx, id, order, who)
	}
	if errors.Is(err, errNothingToSay) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write letter of order %d: %w", order.ID, err)
	}
	if err := m.Sender.Send(ctx, letter); err != nil {
		if !mail.IsTemporary(err) {
			return fmt.Errorf("%w: %w", outbox.ErrRefusedByProvider, err)
		}
		return err
	}
	return nil
}

// errNothingToSay means that the tickets of an order were all taken back before the letter was written.
var errNothingToSay = errors.New("no ticket to send")

func language(o sale.Order, who directory.Person) string {
	if o.Lang != "" {
		return o.Lang
	}
	return who.Lang
}

func (m *Mailer) confirmation(ctx context.Context, id sale.EventID, o sale.Order, who directory.Person) (mail.Message, error) {
	lang := language(o, who)
	docs, err := m.Issuer.Documents(ctx, id, o.Tickets, lang)
	if err != nil {
		return mail.Message{}, err
	}
	if len(docs) == 0 {
		return mail.Message{}, errNothingToSay
	}
	cfg, err := m.config(ctx, id)
	if err != nil {
		return mail.Message{}, err
	}
	ref := wire.OrderRef(id, o.ID)
	return mail.Confirmation(mail.OrderDoc{
		To: who.Email, Name: who.Name, Lang: lang, Domain: m.Issuer.domain(), Order: ref, Event: cfg.Name, Venue: cfg.Venue,
		StartsAt: time.UnixMilli(cfg.StartsAt).UTC(), TimeZone: cfg.TimeZone, Tickets: docs, URL: m.Issuer.OrderURL(ref),
		IssuedAt: docs[0].IssuedAt, Rehearsal: cfg.Rehearsal,
	})
}

func (m *Mailer) refund(ctx context.Context, id sale.EventID, in sale.Intent, o sale.Order, who directory.Person) (mail.Message, error) {
	cfg, err := m.config(ctx, id)
	if err != nil {
		return mail.Message{}, err
	}
	amount, released := in.Amount, in.Amount == 0
	if released {
		amount = o.Total // was reserved and is free again
	}
	ref := wire.OrderRef(id, o.ID)
	return mail.Refund(mail.RefundDoc{
		To: who.Email, Name: who.Name, Lang: language(o, who), Domain: m.Issuer.domain(), Part: strconv.FormatUint(in.ID, 10),
		Order: ref, Event: cfg.Name, Amount: pass.Money{Amount: amount, Currency: cfg.Currency}, Reason: in.Reason,
		Released: released, Tickets: len(o.Tickets) > 0 && o.State >= sale.OrderRefunding, URL: m.Issuer.OrderURL(ref),
		Rehearsal: cfg.Rehearsal,
	})
}

func (m *Mailer) config(ctx context.Context, id sale.EventID) (*sale.Config, error) {
	var cfg *sale.Config
	if err := m.Issuer.Sales.Read(ctx, id, func(s *sale.State) { cfg = s.Config() }); err != nil {
		return nil, fmt.Errorf("read sale: %w", err)
	}
	return cfg, nil
}
