package pass

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Bounds of a symbol.
const (
	quietZone   = 4    // modules of white around the symbol, as ISO/IEC 18004 asks
	maxPixels   = 4096 // edge of a picture
	maxQRLength = 1024 // bytes of text
)

// symbol is a QR code as a square of modules.
type symbol struct {
	size int
	dark []bool // row by row
}

func (s symbol) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < s.size && y < s.size && s.dark[y*s.size+x]
}

// encode makes the smallest symbol of level M, which survives 15 % of damage: a creased page, a cracked phone.
func encode(text string) (symbol, error) {
	if text == "" {
		return symbol{}, errors.New("draw qr: the text is empty")
	}
	if len(text) > maxQRLength {
		return symbol{}, fmt.Errorf("draw qr: the text has %d bytes, at most %d are allowed", len(text), maxQRLength)
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return symbol{}, fmt.Errorf("draw qr: %w", err)
	}
	size := code.Bounds().Dx()
	s := symbol{size: size, dark: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			r, _, _, _ := code.At(x, y).RGBA()
			s.dark[y*size+x] = r < 0x8000
		}
	}
	return s, nil
}

// QRPNG draws text (a ticket code, a Pix code) as a black and white PNG of pixels × pixels. Every module is the
// same whole number of pixels; what is left over is white margin.
func QRPNG(text string, pixels int) ([]byte, error) {
	s, err := encode(text)
	if err != nil {
		return nil, err
	}
	total := s.size + 2*quietZone
	if pixels < total || pixels > maxPixels {
		return nil, fmt.Errorf("draw qr: %d pixels, want %d to %d", pixels, total, maxPixels)
	}
	scale := pixels / total
	origin := (pixels - s.size*scale) / 2
	img := image.NewPaletted(image.Rect(0, 0, pixels, pixels), color.Palette{color.White, color.Black})
	for y := range s.size * scale {
		row := img.Pix[(origin+y)*img.Stride+origin:]
		for x := range s.size * scale {
			if s.at(x/scale, y/scale) {
				row[x] = 1
			}
		}
	}
	var out bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("draw qr: %w", err)
	}
	return out.Bytes(), nil
}

// QRSVG draws text as an SVG without a fixed size, to be put into a page as it is. It stays black on white in a
// dark page too, because scanners expect it. Label is what a screen reader says; it may be empty.
func QRSVG(text, label string) ([]byte, error) {
	s, err := encode(text)
	if err != nil {
		return nil, err
	}
	total := s.size + 2*quietZone
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"`, total, total)
	if label == "" {
		b.WriteString(` aria-hidden="true">`)
	} else {
		fmt.Fprintf(&b, ` role="img"><title>%s</title>`, html.EscapeString(label))
	}
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" fill-rule="evenodd" d="`, total, total)
	for _, loop := range s.outline() {
		writeLoop(&b, loop)
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

// writeLoop writes a loop of right angles as M, h, v and z.
func writeLoop(b *strings.Builder, loop []corner) {
	fmt.Fprintf(b, "M%d %d", loop[0].x+quietZone, loop[0].y+quietZone)
	for i := 1; i < len(loop); i++ {
		if dx := loop[i].x - loop[i-1].x; dx != 0 {
			b.WriteString("h" + strconv.Itoa(dx))
		} else {
			b.WriteString("v" + strconv.Itoa(loop[i].y-loop[i-1].y))
		}
	}
	b.WriteByte('z')
}
