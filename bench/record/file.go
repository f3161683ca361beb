package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MostBytes is the size of the largest file that [ReadRun] reads. A day with ten operations in every second takes a
// third of it.
const MostBytes = 256 << 20

// ReadRun reads a run's file. It takes no more memory than [MostBytes] of JSON do and refuses what is not a run, is of
// another format or lists more than a recorder ever does. Fields that it does not know are ignored.
func ReadRun(r io.Reader) (*Run, error) { return readRun(r, MostBytes) }

func readRun(r io.Reader, most int64) (*Run, error) {
	limited := &io.LimitedReader{R: r, N: most + 1}
	d := json.NewDecoder(limited)
	var run Run
	if err := d.Decode(&run); err != nil {
		if limited.N == 0 {
			return nil, fmt.Errorf("read run: the file is larger than %d MB", most>>20)
		}
		return nil, fmt.Errorf("read run: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read run: something follows the run")
	}
	if err := run.check(); err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	return &run, nil
}

func (run *Run) check() error {
	if run.Format != Format {
		return fmt.Errorf("the file has format %d, this program reads %d", run.Format, Format)
	}
	if n, most := len(run.Operations)+len(run.WarmUpOperations), 2*MostOperations*(MostClasses+1); n > most {
		return fmt.Errorf("it has %d operations, at most %d make sense", n, most)
	}
	if len(run.Seconds) > MostSeconds {
		return fmt.Errorf("it has %d seconds, at most %d make sense", len(run.Seconds), MostSeconds)
	}
	for i := range run.Operations {
		if o := &run.Operations[i]; o.Count < 0 || o.Failed < 0 || o.Failed > o.Count {
			return fmt.Errorf("operation %q failed %d of %d times", o.Name, o.Failed, o.Count)
		}
	}
	for i, s := range run.Seconds {
		if s.At < 0 || i > 0 && s.At <= run.Seconds[i-1].At {
			return fmt.Errorf("second %d is out of order", s.At)
		}
	}
	return nil
}

// Write writes the run's file: one JSON value and a line end.
func (run *Run) Write(w io.Writer) error {
	if run.Format == 0 {
		run.Format = Format
	}
	if err := json.NewEncoder(w).Encode(run); err != nil {
		return fmt.Errorf("write run: %w", err)
	}
	return nil
}
