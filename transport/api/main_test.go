package api_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
)

// One house serves all tests of this package that do not need their own: each has its own sale in it.
var shared struct {
	once  sync.Once
	dir   string
	house *apitest.House
	err   error
	tests byte
}

func house(t *testing.T) *apitest.House {
	t.Helper()
	shared.once.Do(func() {
		//nolint:usetesting // the folder is for all tests
		if shared.dir, shared.err = os.MkdirTemp("", "catraca-api-"); shared.err == nil {
			shared.house, shared.err = apitest.Start(context.Background(), shared.dir, apitest.Options{
				API: func(o *api.Options) { o.Cluster = fakeCluster{} },
			})
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	// Each test comes from an address of its own, so that none uses up what another may.
	shared.tests++
	shared.house.Address.Store(new(netip.AddrFrom4([4]byte{203, 0, 113, shared.tests})))
	return shared.house
}

func TestMain(m *testing.M) {
	code := m.Run()
	if h := shared.house; h != nil {
		if err := h.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close house:", err)
			code = 1
		}
		_ = os.RemoveAll(shared.dir) // a temporary folder
		// With all tests run every operation has been answered with success, and held against its description.
		if all := flag.Lookup("test.run").Value.String() == ""; all && code == 0 {
			for _, op := range h.Spec.Missing(h.Spec.Operations()) {
				fmt.Fprintln(os.Stderr, "no test sees a success of", op)
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

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
