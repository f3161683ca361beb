package agent

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
)

func TestFrames(t *testing.T) {
	for _, payload := range [][]byte{nil, {1}, bytes.Repeat([]byte{7}, 1<<20)} {
		b := frameOf(kindPiece, payload)
		kind, got, err := readFrame(bufio.NewReader(bytes.NewReader(b)))
		if err != nil || kind != kindPiece || !bytes.Equal(got, payload) {
			t.Errorf("%d bytes came back as kind %d, %d bytes: %v", len(payload), kind, len(got), err)
		}
		for _, cut := range []int{0, 3, 4, len(b) - 1} {
			if _, _, err := readFrame(bufio.NewReader(bytes.NewReader(b[:cut]))); err == nil {
				t.Errorf("%d of %d bytes were taken", cut, len(b))
			}
		}
	}
	for _, n := range []uint32{0, maxFrame + 1, 1<<32 - 1} {
		head := binary.BigEndian.AppendUint32(nil, n)
		if _, _, err := readFrame(bufio.NewReader(bytes.NewReader(append(head, 1, 2)))); err == nil || !strings.Contains(err.Error(), "none, or too many") {
			t.Errorf("a frame of %d bytes: %v", n, err)
		}
	}
	if err := newChannel(nil).send(kindPiece, make([]byte, maxFrame)); err == nil {
		t.Error("a frame that nobody would take was sent")
	}
	if _, err := readNumbers(make([]byte, 9), 1); err == nil {
		t.Error("nine bytes are a number")
	}
}

// Whatever comes is read as a frame and understood by both sides, or refused; nothing falls over.
func FuzzFrame(f *testing.F) {
	f.Add(frameOf(kindUsage, []byte(`{"at":1,"values":{"cpu":0.5}}`)))
	f.Add(frameOf(kindFates, []byte(`[{"class":"slow","outcome":"bought","journal":{"account":"1"}}]`)))
	f.Add(frameOf(kindShare, []byte(`{"plan":{"name":"x"},"of":1}`)))
	f.Add(frameOf(kindFans, []byte(`[{"account":"1","token":"x"}]`)))
	f.Add(frameOf(kindEnd, []byte(`{"fans":1,"cpu":2}`)))
	f.Add(frameOf(kindBegin, numbers(12)))
	f.Add(frameOf(kindWasCut, numbers(12)))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, b, err := readFrame(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		began := time.Now()
		r := record.NewRecorder(record.Options{Began: began})
		a := &Client{clock: newClock(), cuts: make(chan int, 1), fans: 3, c: &channel{}}
		told, err := a.hear(kind, b, drive.Playing{Began: began, Record: r, Sample: func(time.Time, map[string]float64) {}})
		if err == nil {
			for _, one := range told {
				_, _ = bench.Filed(one.Journal, began, 0)
			}
		}
		if kind == kindShare || kind == kindFans {
			s := &session{clock: newClock(), share: &drive.Share{}}
			if kind == kindShare {
				s.share = nil
			}
			_ = s.do(t.Context(), kind, b, 0)
		}
	})
}
