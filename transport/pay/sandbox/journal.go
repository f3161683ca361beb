package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxEntry bounds one line of the state file.
const maxEntry = 4 << 20

// entry is one transaction: one line of the state file, so that it is there whole or not at all.
type entry struct {
	Seed     uint64    `json:"seed,omitempty"` // only in the first line
	Intents  []*intent `json:"intents,omitempty"`
	Refunds  []*refund `json:"refunds,omitempty"`
	Events   []*event  `json:"events,omitempty"`
	Answer   *answer   `json:"answer,omitempty"`
	Settled  []string  `json:"settled,omitempty"`  // events that need no delivery any more
	Sequence uint64    `json:"sequence,omitempty"` // highest number given out
}

// journal appends entries to the state file. The caller holds the server's lock.
type journal struct {
	path string
	file *os.File
	size int64
}

// openJournal replays the file into apply and leaves it open for appending. A torn last line, left by a killed
// process, is cut off; any other damage is an error that names the line.
func openJournal(path string, apply func(*entry) error) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state file: %w", err)
	}
	good, err := replay(f, apply)
	if err == nil {
		err = f.Truncate(good)
	}
	if err == nil {
		_, err = f.Seek(good, io.SeekStart)
	}
	if err != nil {
		_ = f.Close() // the first error counts
		return nil, fmt.Errorf("read state file %s: %w", path, err)
	}
	return &journal{path: path, file: f, size: good}, nil
}

// replay returns the length of the whole lines.
func replay(r io.Reader, apply func(*entry) error) (int64, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	var good int64
	for line := 1; ; line++ {
		text, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return good, nil // what came before is torn
		}
		if err != nil {
			return good, fmt.Errorf("line %d: %w", line, err)
		}
		var e entry
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return good, fmt.Errorf("line %d: %w", line, err)
		}
		if err := apply(&e); err != nil {
			return good, fmt.Errorf("line %d: %w", line, err)
		}
		good += int64(len(text))
	}
}

// readLine returns a line with its end; io.EOF when the last line has none.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(text) > maxEntry:
			return nil, fmt.Errorf("it is longer than %d bytes", maxEntry)
		}
	}
}

// append writes one entry. After an error the file is not usable any more.
func (j *journal) append(e *entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	n, err := j.file.Write(append(text, '\n'))
	j.size += int64(n)
	if err != nil {
		return fmt.Errorf("write state file: %w", err)
	}
	return nil
}

// rewrite replaces the file by the entries that all yields. On an error the old file stays and stays open.
func (j *journal) rewrite(all func(write func(*entry) error) error) error {
	f, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".new-*")
	if err != nil {
		return fmt.Errorf("rewrite state file: %w", err)
	}
	out := bufio.NewWriterSize(f, 256<<10)
	var size int64
	err = all(func(e *entry) error {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		n, err := out.Write(append(text, '\n'))
		size += int64(n)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), j.path)
	}
	if err != nil {
		_ = f.Close()           // the first error counts
		_ = os.Remove(f.Name()) // likewise
		return fmt.Errorf("rewrite state file: %w", err)
	}
	_ = j.file.Close() // replaced
	j.file, j.size = f, size
	return nil
}

func (j *journal) close() error {
	if err := errors.Join(j.file.Sync(), j.file.Close()); err != nil {
		return fmt.Errorf("close state file: %w", err)
	}
	return nil
}
