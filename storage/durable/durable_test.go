package durable

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"first and long", "second", ""} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("it holds %q, %v; want %q", got, err, text)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("left beside it: %v, %v", names, err)
	}
	if err := WriteFile(filepath.Join(dir, "no", "folder"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
	if err := SyncDir(filepath.Join(dir, "no")); err == nil {
		t.Error("a folder that is not there was flushed")
	}
}

// What stands at the place already stays when it cannot be replaced.
func TestWriteFileLeavesWhatItCannotReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("x")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if _, err := os.Stat(filepath.Join(path, "full")); err != nil {
		t.Error(err)
	}
}
