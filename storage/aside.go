package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/storage/durable"
)

const (
	asideKept       = 2 // folders set aside that stay for a look at what went wrong
	asideInfix      = ".aside-"
	asideTime       = "20060102T150405.000000000Z" // sorts as text
	incarnationName = ".incarnation"               // beside the folder, so that it survives the folder
	maxIncarnation  = 1 << 30
)

// Incarnation is how many times the data of this node has begun: 1 until SetAside raises it. It is kept in a file
// beside dir, not in it. Replicas of different incarnations must not share a name in the consensus, for the later one
// knows nothing of what the earlier one has promised. A damaged file gives a *DamageError: guessing a number that has
// been used would be worse than stopping.
func Incarnation(dir string) (int, error) {
	path := filepath.Clean(dir) + incarnationName
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read incarnation: %w", err)
	}
	number, sum, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 2 || n > maxIncarnation || string(b) != incarnationText(n) || sum == "" {
		return 0, &DamageError{Path: path, Key: "incarnation", What: errChecksum.Error()}
	}
	return n, nil
}

// incarnationText is the number with a checksum, which also says what the file is about.
func incarnationText(n int) string {
	number := strconv.Itoa(n)
	return fmt.Sprintf("%s %08x\n", number, valueSum(0, "incarnation", []byte(number)))
}

// SetAside takes dir out of service for good: it marks it, raises the incarnation and renames the folder to
// dir.aside-TIME, in this order, each step on the disk before the next. Dying in between leaves a marked folder and at
// worst a number that is never used; calling it again finishes the work. Of the folders set aside the newest two are
// kept. The store must be closed. What SetAside returns is where the folder is now; with an error it has not moved,
// unless movedTo is given, when only the tidying up failed.
func SetAside(dir, reason string) (movedTo string, err error) {
	dir = filepath.Clean(dir)
	if err := Mark(dir, reason); err != nil {
		return "", err
	}
	n, err := Incarnation(dir)
	if err != nil {
		return "", err
	}
	if err := writeIncarnation(dir, n+1); err != nil {
		return "", err
	}
	to := dir + asideInfix + time.Now().UTC().Format(asideTime)
	if exists(to) { // the clock has been put back
		return "", fmt.Errorf("set %s aside: %s is taken", dir, to)
	}
	if err := os.Rename(dir, to); err != nil {
		return "", fmt.Errorf("set %s aside: %w", dir, err)
	}
	if err := durable.SyncDir(filepath.Dir(dir)); err != nil {
		return to, err
	}
	return to, dropAside(dir, to)
}

func writeIncarnation(dir string, n int) error {
	if err := durable.WriteFile(dir+incarnationName, []byte(incarnationText(n))); err != nil {
		return fmt.Errorf("write incarnation: %w", err)
	}
	return nil
}

// dropAside removes all but the newest folders set aside. The one just made stays whatever the clock says.
func dropAside(dir, made string) error {
	names, err := filepath.Glob(globQuote(dir) + asideInfix + "*Z")
	if err != nil {
		return fmt.Errorf("list folders set aside: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		_, err := time.Parse(asideTime, strings.TrimPrefix(n, dir+asideInfix))
		return err != nil || n == made // somebody else's, or the one just made
	})
	slices.Sort(names)
	for len(names) > asideKept-1 {
		if err := os.RemoveAll(names[0]); err != nil {
			return fmt.Errorf("remove older folder set aside: %w", err)
		}
		names = names[1:]
	}
	return nil
}

// globQuote makes a path match itself only.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
