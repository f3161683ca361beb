package record

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// encode returns a histogram as HdrHistogram V2, compressed, in base64.
func encode(s *still) string {
	b, err := s.histogram().Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil { // it writes to memory, and the scale is right
		panic(fmt.Sprintf("encode histogram: %v", err))
	}
	return string(b)
}

// mostEncoded is more than a histogram of this scale can take in base64.
const mostEncoded = 512 << 10

// Decode returns the histogram of Latency, in nanoseconds. It refuses one of another scale than a [Recorder] writes, so
// that a file from elsewhere cannot make it take more than 1 MB.
func (o *Operation) Decode() (*hdrhistogram.Histogram, error) {
	if len(o.Histogram) > mostEncoded {
		return nil, fmt.Errorf("decode histogram of %s: %d bytes are too many", o.Name, len(o.Histogram))
	}
	if err := sameScale(o.Histogram); err != nil {
		return nil, fmt.Errorf("decode histogram of %s: %w", o.Name, err)
	}
	h, err := hdrhistogram.Decode([]byte(o.Histogram))
	if err != nil {
		return nil, fmt.Errorf("decode histogram of %s: %w", o.Name, err)
	}
	return h, nil
}

// sameScale looks at the head of an encoded histogram: 8 bytes, then compressed: cookie, length, offset and digits of 4
// bytes each, lowest and highest value of 8.
func sameScale(encoded string) error {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	if len(raw) < 8 {
		return errors.New("it is too short")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw[8:]))
	if err != nil {
		return err
	}
	var head [32]byte
	if _, err := io.ReadFull(z, head[:]); err != nil {
		return fmt.Errorf("read its head: %w", err)
	}
	be := binary.BigEndian
	if be.Uint32(head[12:]) != digits || be.Uint64(head[16:]) != uint64(lowest) || be.Uint64(head[24:]) != uint64(highest) {
		return errors.New("it is not of 1 µs to 10 min at 3 digits")
	}
	return nil
}

// WriteHDR writes the histograms of Latency as an HdrHistogram log: one interval, the measured span, for each operation
// and class, with the tag OPERATION or OPERATION.CLASS.
func (run *Run) WriteHDR(w io.Writer) error {
	lw := hdrhistogram.NewHistogramLogWriter(w)
	began := run.Began.UnixMilli()
	lw.SetBaseTime(began)
	head := []error{
		lw.OutputComment("[Latency in nanoseconds from the planned moment, " + tag(run.ID) + "]"),
		lw.OutputLogFormatVersion(), lw.OutputStartTime(began), lw.OutputLegend(),
	}
	if err := errors.Join(head...); err != nil {
		return fmt.Errorf("write histogram log: %w", err)
	}
	for i := range run.Operations {
		o := &run.Operations[i]
		h, err := o.Decode()
		if err != nil {
			return err
		}
		name := o.Name
		if o.Class != "" {
			name += "." + o.Class
		}
		h.SetTag(tag(name))
		h.SetStartTimeMs(began + int64(run.WarmUp*1e3))
		h.SetEndTimeMs(began + int64((run.WarmUp+run.Span)*1e3))
		if err := lw.OutputIntervalHistogram(h); err != nil {
			return fmt.Errorf("write histogram log: %w", err)
		}
	}
	return nil
}

// tag leaves out what would end a tag or a line of the log.
func tag(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
}
