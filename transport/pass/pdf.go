package pass

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
)

// MaxDocuments bounds the pages of one PDF.
const MaxDocuments = 100

// PDF writes the tickets, one A4 page each, in the language of each. The same documents give the same bytes:
// the file's date is when the first ticket was issued.
func PDF(w io.Writer, docs []Document) error {
	if len(docs) == 0 {
		return errors.New("write pdf: no tickets")
	}
	if len(docs) > MaxDocuments {
		return fmt.Errorf("write pdf: %d tickets, at most %d are allowed", len(docs), MaxDocuments)
	}
	p := newPrinter(docs[0])
	for i, d := range docs {
		s, err := encode(d.Code)
		if err != nil {
			return fmt.Errorf("write pdf: ticket %d: %w", i+1, err)
		}
		p.ticket(d, s, i+1, len(docs))
	}
	if err := p.pdf.Output(w); err != nil {
		return fmt.Errorf("write pdf: %w", err)
	}
	return nil
}

// The faces of the embedded family, by the names given to the PDF writer.
const (
	regular = "go"
	medium  = "go-medium"
	bold    = "go-bold"
	mono    = "go-mono"
)

func newPrinter(first Document) *printer {
	lang := Language(first.Lang)
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	stamp := first.IssuedAt.UTC().Truncate(time.Second)
	pdf.SetCreationDate(stamp)
	pdf.SetModificationDate(stamp)
	pdf.SetProducer("Catraca", true)
	pdf.SetTitle(fill(textsFor(lang).DocumentFor, "event", line(first.Event)), true)
	pdf.SetSubject(line(first.Order), true)
	pdf.SetLang(lang)
	pdf.SetDisplayMode("fullpage", "continuous")
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(0, 0, 0)
	pdf.SetCellMargin(0)
	// Copies: the writer changes the bytes while it cuts a font down, and they are everybody's.
	pdf.AddUTF8FontFromBytes(regular, "", bytes.Clone(goregular.TTF))
	pdf.AddUTF8FontFromBytes(medium, "", bytes.Clone(gomedium.TTF))
	pdf.AddUTF8FontFromBytes(bold, "", bytes.Clone(gobold.TTF))
	pdf.AddUTF8FontFromBytes(mono, "", bytes.Clone(gomonobold.TTF))
	return &printer{pdf: pdf}
}
