package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	results "github.com/catraca/catraca/bench/report"
)

// The page in docs is what the kept results make.
func TestResultsPageIsUpToDate(t *testing.T) {
	kept, err := results.ReadKept(os.DirFS(filepath.Join("..", "..", "bench", "results")))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := results.History(&want, kept); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "docs", "results.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/results.html is not what bench/results makes: run `make results` and commit it")
	}
	if len(got) > 512<<10 {
		t.Errorf("docs/results.html has %d bytes, which is much for a page in the repository", len(got))
	}
}
