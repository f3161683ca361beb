package pass

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

func scan(t *testing.T, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

func scanPNG(t *testing.T, data []byte) string {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return scan(t, img)
}

func TestQRPNGIsReadByAScanner(t *testing.T) {
	k := testKeyring(t, 1)
	for i, text := range []string{
		k.Sign(Claims{Event: 1, Ticket: 42, Version: 1, Unit: 17, Number: 1}),
		"00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D",
	} {
		for _, pixels := range []int{200, 333, 1024} {
			data, err := QRPNG(text, pixels)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got := img.Bounds().Dx(); got != pixels {
				t.Errorf("text %d: picture of %d pixels, want %d", i, got, pixels)
			}
			if got := scan(t, img); got != text {
				t.Errorf("text %d at %d pixels: scanned %q, want %q", i, pixels, got, text)
			}
		}
	}
}

// A ticket stays in version 6: 41 modules that a phone two metres away resolves.
func TestTicketSymbolIsSmall(t *testing.T) {
	s, err := encode(testKeyring(t, 1).Sign(Claims{Event: 1<<32 - 1, Ticket: 1<<32 - 1, Version: 1<<16 - 1, Unit: 1<<32 - 1, Number: 1<<32 - 1}))
	if err != nil || s.size != 41 {
		t.Fatalf("symbol of %d modules, %v; want 41", s.size, err)
	}
}

func TestQRSVGDrawsTheSameSymbol(t *testing.T) {
	text := testKeyring(t, 1).Sign(Claims{Event: 1, Ticket: 42, Version: 1})
	data, err := QRSVG(text, `Ticket "t1-42" <1>`)
	if err != nil {
		t.Fatal(err)
	}
	path, title := svgPath(t, data)
	if title != `Ticket "t1-42" <1>` {
		t.Errorf("title %q", title)
	}
	if got := scan(t, fillEvenOdd(t, path, 49, 6)); got != text {
		t.Errorf("scanned %q, want %q", got, text)
	}
	if len(data) > 8<<10 {
		t.Errorf("svg of %d bytes, want at most 8 KiB", len(data))
	}
	if anonymous, err := QRSVG(text, ""); err != nil || !bytes.Contains(anonymous, []byte(`aria-hidden="true"`)) {
		t.Errorf("without a label: %v, %.80s", err, anonymous)
	}
}

func svgPath(t *testing.T, data []byte) (path, title string) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return path, title
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "title" {
			if err := dec.DecodeElement(&title, &start); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range start.Attr {
			if a.Name.Local == "d" {
				path = a.Value // the last one: the first is the background
			}
		}
	}
}

// fillEvenOdd paints a path of M, h, v and z by crossing vertical edges, independently of how it was traced.
func fillEvenOdd(t *testing.T, path string, size, scale int) image.Image {
	t.Helper()
	crossings := make([]bool, (size+1)*size) // a vertical edge left of module x in row y
	for loop := range strings.SplitSeq(strings.TrimSuffix(path, "z"), "z") {
		var x, y int
		rest := strings.NewReader(loop)
		if _, err := fmt.Fscanf(rest, "M%d %d", &x, &y); err != nil {
			t.Fatal(err)
		}
		startY := y
		toggle := func(from, to int) {
			for row := min(from, to); row < max(from, to); row++ {
				crossings[row*(size+1)+x] = !crossings[row*(size+1)+x]
			}
		}
		for {
			var op rune
			var n int
			if _, err := fmt.Fscanf(rest, "%c%d", &op, &n); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if op == 'h' {
				x += n
			} else {
				toggle(y, y+n)
				y += n
			}
		}
		toggle(y, startY)
	}
	img := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for y := range size {
		inside := false
		for x := range size {
			inside = inside != crossings[y*(size+1)+x]
			for i := range scale * scale {
				if !inside {
					img.Pix[(y*scale+i/scale)*img.Stride+x*scale+i%scale] = 255
				}
			}
		}
	}
	return img
}

func TestQRBounds(t *testing.T) {
	for _, c := range []struct {
		text   string
		pixels int
		want   string
	}{
		{"", 100, "empty"},
		{strings.Repeat("a", maxQRLength+1), 4096, "at most 1024"},
		{"HELLO", 10, "want 29 to 4096"},
		{"HELLO", 5000, "want 29 to 4096"},
		{"HELLO", -1, "want 29 to 4096"},
	} {
		if _, err := QRPNG(c.text, c.pixels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("QRPNG(%.10q, %d) = %v; want an error with %q", c.text, c.pixels, err, c.want)
		}
	}
}

func BenchmarkQRPNG(b *testing.B) {
	code := testKeyring(b, 1).Sign(Claims{Event: 1})
	for b.Loop() {
		if _, err := QRPNG(code, 490); err != nil {
			b.Fatal(err)
		}
	}
}
