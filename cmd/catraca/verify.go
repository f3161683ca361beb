package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

func verifyCommand(env environment) *cobra.Command {
	return group(env, &cobra.Command{
		Use: "verify", Short: "Check a ticket, or the books of a sale, without believing the server",
		Example: "  catraca verify ticket CT1.… --jwks keys.json\n  catraca verify ledger noite-aurora --config catraca.yaml",
	}, verifyTicketCommand(env), verifyLedgerCommand(env))
}

// ticketVerdict is the answer about a ticket's code.
type ticketVerdict struct {
	Valid  bool   `json:"valid"`
	Reason string `json:"reason,omitempty"` // malformed, unknown_key, signature
	Ticket string `json:"ticket,omitempty"`
	Event  uint32 `json:"event,omitempty"`
	Unit   uint32 `json:"unit"`
	Number uint32 `json:"number"`
	Issue  uint16 `json:"issue"` // raised when the ticket is issued again
}

func verifyTicketCommand(env environment) *cobra.Command {
	var out output
	keys := ""
	c := &cobra.Command{
		Use:   "ticket CODE",
		Short: "Tell whether a ticket's code is genuine",
		Long: "Checks the signature of the code in a ticket's QR with the published keys, and needs no server for it. A\n" +
			"genuine ticket may still be refunded or used already: that the gate knows. - as CODE reads it from standard input.",
		Example: "  curl -s https://shop.example.com/.well-known/jwks.json > keys.json\n  catraca verify ticket CT1.AF… --jwks keys.json",
		Args:    exactly("CODE"),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			if keys == "" {
				return wrong(c, "--jwks is missing: the published keys, a file or an address ending in /.well-known/jwks.json")
			}
			code, err := readCode(env, args[0])
			if err != nil {
				return err
			}
			verifier, err := readKeys(c.Context(), keys)
			if err != nil {
				return err
			}
			return judge(env, verifier, code, asJSON)
		},
	}
	c.Flags().StringVar(&keys, "jwks", "", "published keys: a file (JSON Web Key Set or PEM) or an address; needed")
	out.flag(c)
	return c
}

func readCode(env environment, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	data, err := io.ReadAll(io.LimitReader(env.stdin, maxToken))
	if err != nil {
		return "", fmt.Errorf("read code: %w", err)
	}
	return string(data), nil
}

// maxKeys bounds a file of public keys in bytes.
const maxKeys = 64 << 10

// readKeys reads public keys from a file or an address.
func readKeys(ctx context.Context, from string) (pass.Verifier, error) {
	data, err := fetch(ctx, from, maxKeys)
	if err != nil {
		return pass.Verifier{}, fmt.Errorf("read keys: %w", err)
	}
	if strings.Contains(string(data), "-----BEGIN ") {
		return pass.ParsePEM(data)
	}
	return pass.ParseJWKS(data)
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// fetch reads a file, or an address of http or https.
func fetch(ctx context.Context, from string, most int64) ([]byte, error) {
	if isAddress(from) {
		return fetchAddress(ctx, from, "", most)
	}
	return readBounded(from, most)
}

// fetchAddress reads an address, with a bearer token if there is one.
func fetchAddress(ctx context.Context, from, token string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", from, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes", from, most)
	}
	return data, err
}

// judge answers in one line. A ticket that is not genuine ends the command with exit code 1.
func judge(env environment, v pass.Verifier, code string, asJSON bool) error {
	claims, failed := v.Verify(code)
	verdict := ticketVerdict{Valid: failed == nil}
	var line string
	if failed != nil {
		verdict.Reason = reason(failed)
		line = "NOT GENUINE: " + failed.Error()
	} else {
		verdict.Ticket, verdict.Event = wire.TicketRef(sale.EventID(claims.Event), sale.TicketID(claims.Ticket)), claims.Event
		verdict.Unit, verdict.Number, verdict.Issue = claims.Unit, claims.Number, claims.Version
		line = fmt.Sprintf("GENUINE: ticket %s, event %d, unit %d, place %d, issue %d", verdict.Ticket, claims.Event, claims.Unit, claims.Number, claims.Version)
	}
	var err error
	if asJSON {
		err = writeJSON(env.stdout, verdict)
	} else {
		_, err = fmt.Fprintln(env.stdout, line)
	}
	if err != nil {
		return err
	}
	if failed != nil {
		return errSaid
	}
	return nil
}

func reason(err error) string {
	switch {
	case errors.Is(err, pass.ErrUnknownKey):
		return "unknown_key"
	case errors.Is(err, pass.ErrSignature):
		return "signature"
	default:
		return "malformed"
	}
}
