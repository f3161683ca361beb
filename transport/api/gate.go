package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

// GateVerifier checks a ticket's signature. Package pass has it.
type GateVerifier interface {
	Verify(code string) (pass.Claims, error)
	JWKS() []byte
}

// scan lets a ticket in, once. A forged code never reaches the sale.
func (s *Server) scan(ctx context.Context, r *request) (answer, error) {
	gate, err := strconv.ParseUint(r.PathValue("gate"), 10, 16)
	if err != nil || gate == 0 || gate > 999 {
		return answer{}, invalid(r.lang, "/gate", "range", "a gate is a number from 1 to 999")
	}
	var in wire.ScanRequest
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	if in.Code == "" {
		return answer{}, invalid(r.lang, "/code", "required", "what the scanner read")
	}
	claims, err := s.o.Gates.Verify(in.Code)
	if err != nil {
		return answer{body: wire.Scan{Result: "invalid"}}, nil //nolint:nilerr // what the gate wants to know
	}
	e := sale.EventID(claims.Event)
	v, err := s.o.Sales.View(e)
	if err != nil {
		return answer{body: wire.Scan{Result: "unknown"}}, nil //nolint:nilerr // another house's event under our key
	}
	if in.Nonce == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		in.Nonce = hex.EncodeToString(b[:])
	}
	res, err := s.o.Sales.Submit(ctx, e, &sale.Command{
		Op: sale.OpScan, Ticket: sale.TicketID(claims.Ticket), Version: claims.Version, Gate: uint16(gate),
		Key: commandKey(r.person, "scan"+r.PathValue("gate"), in.Nonce),
	})
	if err != nil {
		return answer{}, err
	}
	out := wire.Scan{Result: scanResult(res.Refusal)}
	if res.Refusal == sale.RefusedScanned {
		out.First = &wire.First{At: wire.Time(res.At), Gate: res.Number}
	}
	if out.Result == "internal" {
		return answer{}, refusal(e, res, r.lang)
	}
	var t sale.Ticket
	var ok bool
	if err := s.o.Sales.Read(ctx, e, func(st *sale.State) { t, ok = st.Ticket(sale.TicketID(claims.Ticket)) }); err != nil {
		return answer{}, err
	}
	if ok {
		who, _, err := s.o.Directory.Person(ctx, account.ID(t.Account))
		if err != nil {
			return answer{}, err
		}
		shown := s.renderTicket(e, v.Config, t, who.Name, "")
		out.Ticket = &shown
	}
	return answer{body: out}, nil
}

func scanResult(r sale.Refusal) string {
	switch r {
	case sale.Done:
		return "accepted"
	case sale.RefusedScanned:
		return "already_scanned"
	case sale.RefusedRevoked:
		return "revoked"
	case sale.RefusedVersion:
		return "superseded"
	case sale.RefusedUnknown:
		return "unknown"
	default:
		return "internal"
	}
}

func (s *Server) jwks(context.Context, *request) (answer, error) {
	return answer{raw: s.o.Gates.JWKS(), kind: "application/jwk-set+json"}, nil
}
