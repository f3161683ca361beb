package bench

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// Evidence is what an audit is made of: what fans were told, and what the server and the payment provider have in their
// books. It can be kept in a file and looked through again, by anybody.
type Evidence struct {
	Event    string // slug
	Taken    time.Time
	Journals []*Journal
	Books    wire.Ledger
	Provider *Provider // nil: not known
}

// evidenceFormat is the version of the file.
const evidenceFormat = 1

// MostEvidence bounds what is read of a file, unpacked: a run of a hundred thousand fans takes about half of it.
const MostEvidence = 1 << 30

// keptEvidence is the file: JSON, packed by gzip. Accounts are numbers; names, addresses and the codes that open gates are not
// in it.
type keptEvidence struct {
	Format   int           `json:"format"`
	Event    string        `json:"event"`
	Taken    time.Time     `json:"taken"`
	Journals []keptJournal `json:"journals"`
	Books    wire.Ledger   `json:"books"`
	Provider *Provider     `json:"provider"`
}

type keptJournal struct {
	Account    string       `json:"account"`
	Unsure     int64        `json:"unsure_ns,omitempty"`
	Places     []PlaceNote  `json:"places"`
	Holds      []HoldNote   `json:"holds"`
	Orders     []OrderNote  `json:"orders"`
	Breaches   []keptBreach `json:"breaches"`
	Reconnects int64        `json:"reconnects"`
	Retries    int64        `json:"retries"`
}

type keptBreach struct {
	Promise string    `json:"promise"`
	At      time.Time `json:"at"`
	Text    string    `json:"text"`
}

// Write writes the file.
func (e *Evidence) Write(w io.Writer) error {
	k := keptEvidence{Format: evidenceFormat, Event: e.Event, Taken: e.Taken, Books: e.Books, Provider: e.Provider}
	for _, j := range e.Journals {
		k.Journals = append(k.Journals, j.keep())
	}
	z := gzip.NewWriter(w)
	if err := errors.Join(json.NewEncoder(z).Encode(k), z.Close()); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

// ReadEvidence reads what Write wrote. It refuses what is not that.
func ReadEvidence(r io.Reader) (*Evidence, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	limited := &io.LimitedReader{R: z, N: MostEvidence + 1}
	d := json.NewDecoder(limited)
	var k keptEvidence
	if err := d.Decode(&k); err != nil {
		if limited.N == 0 {
			return nil, fmt.Errorf("read evidence: it is larger than %d MB", MostEvidence>>20)
		}
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // to its end, where the checksum is
		return nil, errors.Join(errors.New("read evidence: something follows it"), err)
	}
	if k.Format != evidenceFormat {
		return nil, fmt.Errorf("read evidence: the file has format %d, this program reads %d", k.Format, evidenceFormat)
	}
	e := &Evidence{Event: k.Event, Taken: k.Taken, Books: k.Books, Provider: k.Provider}
	for _, j := range k.Journals {
		back, err := j.journal()
		if err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		e.Journals = append(e.Journals, back)
	}
	return e, nil
}

// keep is a journal without what a fan would not want to be told around.
func (j *Journal) keep() keptJournal {
	c := j.Copy()
	k := keptJournal{Account: c.account, Unsure: int64(c.unsure), Places: c.places, Holds: c.holds, Orders: c.orders, Reconnects: c.reconnects, Retries: c.retries}
	for i := range k.Places {
		k.Places[i].Guesses = nil // no evidence of anything
	}
	for i := range k.Orders {
		o := &k.Orders[i]
		o.Order.Payment = nil // with the address of the payment page
		tickets := make([]wire.Ticket, 0, len(o.Tickets))
		for _, t := range o.Tickets {
			t.Holder, t.Code = "", sealed(t.Code)
			tickets = append(tickets, t)
		}
		o.Tickets = tickets
	}
	for _, b := range c.breaches {
		k.Breaches = append(k.Breaches, keptBreach{b.promise.String(), b.at, b.text})
	}
	return k
}

func (k *keptJournal) journal() (*Journal, error) {
	j := &Journal{account: k.Account, unsure: time.Duration(k.Unsure), places: k.Places, holds: k.Holds, orders: k.Orders, reconnects: k.Reconnects, retries: k.Retries}
	for _, b := range k.Breaches {
		p, known := promiseOf(b.Promise)
		if !known {
			return nil, fmt.Errorf("account %.40s: no promise is called %.60q", k.Account, b.Promise)
		}
		j.breaches = append(j.breaches, finding{promise: p, text: b.Text, at: b.At})
	}
	return j, nil
}

func promiseOf(name string) (promise, bool) {
	for p := range promises {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}

// sealedPrefix marks a code that was sealed.
const sealedPrefix = "sha256:"

// sealed tells a code apart from others without telling it.
func sealed(code string) string {
	if code == "" || strings.HasPrefix(code, sealedPrefix) {
		return code
	}
	sum := sha256.Sum256([]byte(code))
	return sealedPrefix + hex.EncodeToString(sum[:12])
}
