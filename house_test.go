package catraca

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/catraca/catraca/"

// order is the house from the ground up: a package may import those of earlier lines, and of its own line never.
// When a test below fails, its message says what to do; docs/ARCHITECTURE.md says why the order is this one.
var order = [][]string{
	{"actors/sale/slab", "actors/sale/due", "storage/durable"},
	{"actors/sale/seatmap", "actors/sale/queue"},
	{"actors/sale", "actors/account", "storage", "actors/directory/password", "actors/directory/throttle", "actors/gateway/forecast", "cluster/placement", "cluster/pki"},
	{"cluster"},
	{"actors/sequencer"},
	{"actors/relay"},
	{"actors/event", "actors/directory"},
	{"actors/outbox", "actors/gateway"},
	{"transport/wire", "transport/pass", "transport/pay", "transport/forwarded", "transport/seating"},
	{"transport/mail", "transport/pay/sandbox", "transport/page", "transport/balance", "config/strict", "bench/hall", "bench/record", "bench/arrival", "bench/network"},
	{"transport/issue", "bench", "bench/report"},
	{"transport/api", "config/eventfile", "config", "bench/scenario", "bench/console"},
	{"transport/live", "bench/drive"},
	{"bench/agent"},
	{"cmd/catraca", "cmd/catraca-bench"},
}

// guarded packages may be imported only where the reason says.
var guarded = []struct {
	path   string
	from   []string
	reason string
}{
	{"go.etcd.io/bbolt", []string{"storage", "cmd/catraca-bench"}, "only storage knows the file, give it a method; the bench compares with a bare one"},
	{"github.com/hashicorp/raft", []string{"storage", "cluster"}, "consensus ends at package cluster; use cluster.Node"},
	{"github.com/asynkron/protoactor-go", []string{"actors/sequencer", "actors/relay", "actors/event", "actors/directory", "actors/outbox", "actors/gateway", "cluster", "cmd"}, "actors end at the services; call event.Service or directory.Service"},
	{"google.golang.org/grpc", []string{"actors/relay"}, "the wire between nodes is package relay's"},
	{"net/http", []string{"transport", "cmd", "bench", "storage/storagetest"}, "below transport nothing speaks HTTP; hand a value or an interface down"},
	{module + "config", []string{"cmd", "config", "bench/scenario", "bench/console"}, "packages take their own Options; only cmd reads the configuration, and the bench its scenarios with the same strictness"},
}

type listed struct {
	ImportPath, Dir, Doc string
	GoFiles, TestGoFiles []string
	Imports              []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

func level(pkg string) int {
	for i, line := range order {
		if slices.Contains(line, pkg) {
			return i
		}
	}
	return -1
}

func under(pkg string, roots []string) bool {
	for _, r := range roots {
		if pkg == r || strings.HasPrefix(pkg, r+"/") {
			return true
		}
	}
	return false
}

func TestHouseImports(t *testing.T) {
	for _, p := range packages(t) {
		pkg := p.ImportPath
		if strings.HasSuffix(pkg, "test") || pkg == strings.TrimSuffix(module, "/") {
			continue // helpers of tests stand outside the house
		}
		mine := level(pkg)
		if mine < 0 {
			t.Errorf("package %s has no place in the house: put it on a line of order in house_test.go and into docs/ARCHITECTURE.md", pkg)
			continue
		}
		for _, imported := range p.Imports {
			ours, is := strings.CutPrefix(imported, module)
			if is && level(ours) >= mine {
				t.Errorf("%s imports %s, which stands beside or above it: commands flow down by calls, news comes back along values handed down (an interface, a function)", pkg, ours)
			}
			for _, g := range guarded {
				if (imported == g.path || strings.HasPrefix(imported, g.path+"/")) && !under(pkg, g.from) {
					t.Errorf("%s imports %s: %s", pkg, imported, g.reason)
				}
			}
		}
	}
}

const (
	maxFile     = 25 << 10
	maxFunction = 70
)

func TestHouseFiles(t *testing.T) {
	fset := token.NewFileSet()
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("package %s has no doc: say in one sentence what it promises, and what is deliberately not in it", p.ImportPath)
		}
		if base := filepath.Base(p.ImportPath); slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc", "shared"}, base) {
			t.Errorf("package %s is named for a kind of thing: name it for its idea, or move each piece to its only user", p.ImportPath)
		}
		for _, name := range append(slices.Clone(p.GoFiles), p.TestGoFiles...) {
			checkFile(t, fset, filepath.Join(p.Dir, name), p.ImportPath+"/"+name)
		}
	}
}

func checkFile(t *testing.T, fset *token.FileSet, path, name string) {
	t.Helper()
	f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		t.Error(err)
		return
	}
	if size := fset.File(f.Pos()).Size(); size > maxFile {
		t.Errorf("%s has %d bytes, at most %d: it holds two ideas, give each its file", name, size, maxFile)
	}
	for _, c := range f.Comments {
		if strings.Contains(c.Text(), "TODO") || strings.Contains(c.Text(), "FIXME") {
			t.Errorf("%s: a note to do something later belongs into an issue", name)
		}
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
		table := strings.HasSuffix(name, "_test.go") && strings.HasPrefix(fn.Name.Name, "Test")
		if lines > maxFunction && !table {
			t.Errorf("%s: func %s has %d lines, at most %d: name its steps", name, fn.Name.Name, lines, maxFunction)
		}
	}
}
