package storage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMark(t *testing.T) {
	dir := t.TempDir()
	if reason, ok := Marked(dir); ok {
		t.Fatalf("marked from the start: %q", reason)
	}
	if _, ok := Marked(filepath.Join(dir, "missing")); ok {
		t.Error("a missing folder is marked")
	}
	if err := Mark(filepath.Join(dir, "missing"), "x"); err == nil {
		t.Error("marked a missing folder")
	}
	for _, reason := range []string{"entry 7\n is bad", "something later"} {
		if err := Mark(dir, reason); err != nil {
			t.Fatal(err)
		}
	}
	if reason, ok := Marked(dir); !ok || reason != "entry 7 is bad" {
		t.Errorf("marked: %t, %q", ok, reason)
	}
	o := options(t, dir)
	if _, err := Open(o); !errors.Is(err, ErrMarked) || !strings.Contains(err.Error(), "entry 7 is bad") {
		t.Errorf("open: %v, want ErrMarked", err)
	}
	for name, content := range map[string]string{"empty": "", "garbage": "\xff\xfe\x00", "long": strings.Repeat("é", maxMarkBytes)} {
		if err := os.WriteFile(filepath.Join(dir, markName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if reason, ok := Marked(dir); !ok || reason == "" || len(reason) > maxMarkBytes+10 {
			t.Errorf("%s: %t, %q", name, ok, reason)
		}
	}
	if err := os.Remove(filepath.Join(dir, markName)); err != nil {
		t.Fatal(err)
	}
	if err := Mark(dir, strings.Repeat("é", maxMarkBytes)); err != nil {
		t.Fatal(err)
	}
	if reason, ok := Marked(dir); !ok || len(reason) < maxMarkBytes-2 || strings.Trim(reason, "é") != "" {
		t.Errorf("a long reason became %d bytes", len(reason))
	}
}

// TestUnreadableMark: what cannot be read counts.
func TestUnreadableMark(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, markName), 0o700); err != nil {
		t.Fatal(err)
	}
	if reason, ok := Marked(dir); !ok || !strings.Contains(reason, unreadableMark) {
		t.Errorf("marked: %t, %q", ok, reason)
	}
}

func TestSetAside(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "ra[f]t")
	if err := os.Mkdir(dir+".aside-notes", 0o700); err != nil { // of somebody else
		t.Fatal(err)
	}
	var moved []string
	for round := 1; round <= 4; round++ {
		if n, err := Incarnation(dir); err != nil || n != round {
			t.Errorf("incarnation is %d, want %d, %v", n, round, err)
		}
		o := options(t, dir)
		if err := open(t, o).Close(); err != nil {
			t.Fatal(err)
		}
		to, err := SetAside(dir+"/", "no good")
		if err != nil {
			t.Fatal(err)
		}
		moved = append(moved, to)
		if exists(dir) {
			t.Error("the folder is still there")
		}
		if reason, ok := Marked(to); !ok || reason != "no good" {
			t.Errorf("what was set aside says %q", reason)
		}
		if _, ok := Marked(dir); ok {
			t.Error("the new folder would be marked")
		}
	}
	for i, to := range moved {
		if exists(to) != (i >= 2) {
			t.Errorf("folder %d of 4 is there: %t", i+1, exists(to))
		}
	}
	if !exists(dir + ".aside-notes") {
		t.Error("a folder of somebody else was removed")
	}
	if _, err := SetAside(dir, "x"); err == nil {
		t.Error("set aside what is not there")
	}
	if n, err := Incarnation(dir); err != nil || n != 5 {
		t.Errorf("incarnation is %d, want 5, %v", n, err)
	}
}

// TestSetAsideAgain: dying after any of its steps leaves nothing that would be opened as it was.
func TestSetAsideAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raft")
	o := options(t, dir)
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	if err := Mark(dir, "died"); err != nil {
		t.Fatal(err)
	}
	if err := writeIncarnation(dir, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); !errors.Is(err, ErrMarked) {
		t.Errorf("opened half set aside: %v", err)
	}
	to, err := SetAside(dir, "again")
	if err != nil {
		t.Fatal(err)
	}
	if reason, _ := Marked(to); reason != "died" {
		t.Errorf("the reason is %q", reason)
	}
	if n, err := Incarnation(dir); err != nil || n != 3 {
		t.Errorf("incarnation is %d, want 3, %v", n, err)
	}
	text, err := os.ReadFile(dir + incarnationName)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(text) * 8 {
		text[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(dir+incarnationName, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var bad *DamageError
		if n, err := Incarnation(dir); !errors.As(err, &bad) {
			t.Errorf("with bit %d turned it is %d, %v", bit, n, err)
		}
		text[bit/8] ^= 1 << (bit % 8)
	}
}
