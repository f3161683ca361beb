package record_test

import (
	"bytes"
	"encoding/base64"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/bench/record"
)

func TestRunIsReadAsItWasWritten(t *testing.T) {
	run := sample()
	run.Environment = record.Here()
	var b bytes.Buffer
	if err := run.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadRun(&b)
	if err != nil {
		t.Fatal(err)
	}
	got.Plan, run.WarmUpOperations = nil, nil // null, and left out
	if d := cmp.Diff(run, got); d != "" {
		t.Errorf("(-written +read)\n%s", d)
	}
}

func TestWhatIsNoRun(t *testing.T) {
	for text, want := range map[string]string{
		"":               "EOF",
		"[]":             "cannot unmarshal",
		"{}":             "format 0, this program reads 1",
		`{"format":2}`:   "format 2, this program reads 1",
		`{"format":1}{}`: "something follows the run",
		`{"format":1} x`: "something follows the run",
		`{"format":1,"seconds":[{"at":1},{"at":1}]}`:                         "second 1 is out of order",
		`{"format":1,"seconds":[{"at":-1}]}`:                                 "second -1 is out of order",
		`{"format":1,"operations":[{"name":"hold","count":1,"failed":2}]}`:   `operation "hold" failed 2 of 1 times`,
		`{"format":1,"operations":[` + strings.Repeat("{},", 2_000) + `{}]}`: "it has 2001 operations",
	} {
		if _, err := record.ReadRun(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	if _, err := record.ReadRunOf(endless{}, 2<<20); err == nil || !strings.Contains(err.Error(), "larger than 2 MB") {
		t.Errorf("a file without end: %v", err)
	}
}

// endless is a file of blanks.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestForeignHistogramIsRefused(t *testing.T) {
	wide, err := hdrhistogram.New(1, math.MaxInt64, 5).Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"": "too short", "?": "illegal base64", "AAAA": "too short", strings.Repeat("A", 1<<20): "are too many",
		base64.StdEncoding.EncodeToString(make([]byte, 50)): "zlib",
		string(wide): "not of 1 µs to 10 min at 3 digits",
	} {
		o := record.Operation{Name: "hold", Histogram: text}
		if _, err := o.Decode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadRun(f *testing.F) {
	var b bytes.Buffer
	if err := sample().Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":1,"seconds":[{"at":0}],"operations":[{"name":"a b","histogram":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := record.ReadRun(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again, log bytes.Buffer
		if err := run.Write(&again); err != nil {
			t.Fatal(err)
		}
		if _, err := record.ReadRun(&again); err != nil {
			t.Fatalf("what was read and written is not read: %v", err)
		}
		if run.WriteHDR(&log) == nil && log.Len() == 0 {
			t.Fatal("the log is empty")
		}
		run.ExitCode()
	})
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		verdict record.Verdict
		want    int
	}{
		{record.Verdict{}, record.ExitPassed},
		{record.Verdict{Thresholds: []record.Threshold{{Held: true}}}, record.ExitPassed},
		{record.Verdict{Thresholds: []record.Threshold{{Held: true}, {}}}, record.ExitThreshold},
		{record.Verdict{Invalid: []string{"late"}}, record.ExitThreshold},
		{record.Verdict{Invalid: []string{"late"}, Aborted: true}, record.ExitAborted},
		{record.Verdict{Invalid: []string{"late"}, Aborted: true, Broken: []string{"sold twice"}}, record.ExitSafety},
	} {
		if got := (&record.Run{Verdict: c.verdict}).ExitCode(); got != c.want {
			t.Errorf("%+v ends with %d, want %d", c.verdict, got, c.want)
		}
	}
}

func TestHere(t *testing.T) {
	e := record.Here()
	if e.Go != runtime.Version() || e.Cores < 1 || !strings.Contains(e.Command, os.Args[0]) {
		t.Errorf("here is %+v", e)
	}
	if runtime.GOOS == "linux" && (e.Kernel == "" || e.Memory < 1<<20 || e.OpenFiles < 1) {
		t.Errorf("of this machine is known %+v", e)
	}
}
