package live_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/live"
)

// One house serves all tests of this package that do not need their own: each has its own sale in it.
var shared struct {
	once  sync.Once
	dir   string
	house *apitest.House
	err   error
}

func house(t *testing.T) *apitest.House {
	t.Helper()
	shared.once.Do(func() {
		//nolint:usetesting // the folder is for all tests
		if shared.dir, shared.err = os.MkdirTemp("", "catraca-live-"); shared.err == nil {
			shared.house, shared.err = apitest.Start(context.Background(), shared.dir, apitest.Options{
				Live:    func(o *live.Options) { o.Origins = []string{"https://loja.example"} },
				Gateway: func(o *gateway.Options) { o.AwayAfter = 50 * time.Millisecond },
			})
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.house
}

// hasty starts a house of its own where pings come every quarter of a second, and a connection that was silent for three
// quarters is cut.
func hasty(t *testing.T) *apitest.House {
	t.Helper()
	return apitest.New(t, apitest.Options{Live: func(o *live.Options) { o.Pulse = 10 * time.Millisecond }})
}

func TestMain(m *testing.M) {
	code := m.Run()
	if h := shared.house; h != nil {
		if err := h.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close house:", err)
			code = 1
		}
		_ = os.RemoveAll(shared.dir) // a temporary folder
		if all := flag.Lookup("test.run").Value.String() == ""; all && code == 0 {
			for _, frame := range h.Spec.Missing(h.Spec.Messages("down")) {
				fmt.Fprintln(os.Stderr, "no test sees a frame", frame)
				code = 1
			}
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
