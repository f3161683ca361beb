package catraca

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// inspected is what `catraca backup inspect` says, as far as tests look at it.
type inspected struct {
	Clean bool `json:"clean"`
	Sales []struct {
		Slug   string `json:"slug"`
		Epoch  int    `json:"epoch"`
		Places struct {
			Capacity, Free, Held, Paying, Sold, Blocked uint32
		} `json:"places"`
		Tickets struct{ Issued uint32 } `json:"tickets"`
		Queue   struct{ Issued uint32 } `json:"queue"`
	} `json:"sales"`
	Directory struct {
		Accounts int `json:"accounts"`
	} `json:"directory"`
}

// A backup is made in the middle of a sale, the sale goes on, and everything is lost. What is restored is one moment of
// it, whole; what is sold then is never taken for what was sold after the backup: no number of a ticket, order or
// payment is given out a second time.
func TestBackupRestored(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 2)) //nolint:gosec // any fans
	r := stage(t, false)
	r.apply("estadio", stadium(r, 0, `
rekey: true
queue: {rate_per_minute: 1200, burst: 10, active_cap: 60, claim: 3m, lease: 15m}
`))
	c := r.crowd(150, 4*time.Second, buyer, random)
	r.soldAtLeast(40)
	file := filepath.Join(r.dir, "tonight.backup")
	r.catraca(0, "backup", "create", "--config", r.config, "-o", file, "--reason", "before the rain")
	r.keepsBackupsFromOthers(c)
	<-c.ended
	c.fail(t)
	before, _ := r.settled(time.Minute, c.journals())
	r.server.kill()

	seen := r.inspect(file)
	sale := seen.Sales[0]
	p := sale.Places
	if !seen.Clean || p.Free+p.Held+p.Paying+p.Sold+p.Blocked != p.Capacity || p.Capacity != r.capacity {
		t.Errorf("the backup has %+v of %d places", p, r.capacity)
	}
	if p.Sold == 0 || p.Sold >= before.Places.Sold || sale.Epoch != 0 || seen.Directory.Accounts < 151 {
		t.Errorf("the backup is not of the middle of the sale: %+v, at its end %d places were sold", seen, before.Places.Sold)
	}
	r.refusesBadBackups(file)

	r.lose()
	r.catraca(0, "backup", "restore", file, "--config", r.config)
	r.server = launch(t, "serve", "--config", r.config) // it may be killed before it is ready
	time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
	r.server.kill()
	took := r.serve()
	out, _ := r.catraca(0, "verify", "ledger", r.event, "--config", r.config)
	if code := apiCall(t, http.MethodGet, r.fan+"/api/v1/accounts/me", r.owner, nil, nil); code != http.StatusOK {
		t.Errorf("the owner's session was answered with %d", code)
	}
	c = r.crowd(100, 2*time.Second, buyer, random)
	<-c.ended
	c.fail(t)
	if n := c.count(); n.bought == 0 || n.failed > 0 {
		t.Fatalf("after the restore the stories ended as %+v", n)
	}
	after := r.booksOf(c, time.Minute)
	r.sameMeaning(before, after, sale.Tickets.Issued)
	r.nothingChargedTwice(before, after)
	t.Logf("%d tickets in the backup, %d at the end, restored and ready in %v, %d tickets then; books:\n%s",
		sale.Tickets.Issued, before.Tickets.Issued, took.Round(time.Millisecond), after.Tickets.Issued, out)
	r.catraca(0, "verify", "ledger", r.event, "--config", r.config)

	// Another node joins the restored one and gets everything. A backup of it is one of a later epoch.
	other := r.joins("n2")
	second := filepath.Join(r.dir, "second.backup")
	r.catraca(0, "backup", "create", "--config", other, "-o", second)
	if s := r.inspect(second); !s.Clean || s.Sales[0].Epoch != 1 {
		t.Errorf("after the restore the backup is %+v", s)
	}
}

// keepsBackupsFromOthers asks for a backup as those who must not have one, and looks for ours in the audit.
func (r *rehearsal) keepsBackupsFromOthers(c *crowd) {
	r.t.Helper()
	const path = "/api/v1/admin/backup"
	for _, ask := range []struct {
		who, base, token string
		want             int
	}{
		{"nobody", r.operator, "", http.StatusUnauthorized},
		{"somebody", r.operator, "guessed", http.StatusUnauthorized},
		{"a fan", r.operator, c.fans[0].Token, http.StatusForbidden},
		{"the owner on the fan address", r.fan, r.owner, http.StatusNotFound},
	} {
		if code := apiCall(r.t, http.MethodPost, ask.base+path, ask.token, nil, nil); code != ask.want {
			r.t.Errorf("%s asked for a backup and was answered with %d, want %d", ask.who, code, ask.want)
		}
	}
	var audit json.RawMessage
	if code := apiCall(r.t, http.MethodGet, r.fan+"/api/v1/admin/audit", r.owner, nil, &audit); code != http.StatusOK ||
		!strings.Contains(string(audit), "backup.create") || !strings.Contains(string(audit), "before the rain") {
		r.t.Errorf("the audit was answered with %d and does not know the backup: %.500s", code, audit)
	}
}

// joins brings a new node into the cluster, waits until it serves, and returns its configuration.
func (r *rehearsal) joins(id string) (config string) {
	r.t.Helper()
	text, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	mine := strings.NewReplacer("node: {id: n1, data: ", "node: {id: "+id+", data: ", filepath.Join(r.dir, "data"), filepath.Join(r.dir, id)).Replace(string(text))
	address := regexp.MustCompile(`listen: "127\.0\.0\.1:\d+"`)
	mine = address.ReplaceAllStringFunc(mine, func(string) string { return fmt.Sprintf(`listen: "127.0.0.1:%d"`, freePort(r.t)) })
	config = r.file(id+".yaml", mine)
	invitation, _ := r.catraca(0, "cluster", "invite", "--config", r.config, id)
	r.catraca(0, "cluster", "join", "--config", config, strings.TrimSpace(invitation))
	launch(r.t, "serve", "--config", config)
	operator := strings.TrimSuffix(strings.TrimPrefix(address.FindAllString(mine, -1)[1], `listen: "`), `"`)
	r.answers("http://" + operator + "/readyz")
	return config
}

// buyer is a fan who buys at once.
func buyer(i int, random *rand.Rand) bench.Story {
	s := stadiumStory(i, random)
	s.Vanish, s.Walkaway, s.Release, s.GiveUp = false, false, false, false
	return s
}

func (r *rehearsal) soldAtLeast(n uint32) {
	r.t.Helper()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		sold := uint32(0)
		if e, err := r.look(); err == nil {
			for _, c := range e.Categories {
				sold += c.Sold
			}
		}
		if sold >= n {
			return
		}
		if time.Now().After(limit) {
			r.t.Fatalf("%d places are sold, want %d: %s", sold, n, r.standing())
		}
	}
}

func (r *rehearsal) inspect(file string) (out inspected) {
	r.t.Helper()
	text, _ := r.catraca(0, "backup", "inspect", file, "--output", "json")
	if err := json.Unmarshal([]byte(text), &out); err != nil || len(out.Sales) != 1 {
		r.t.Fatalf("inspect said %s: %v", text, err)
	}
	if text, _ = r.catraca(0, "backup", "inspect", file); !strings.Contains(text, "GOOD") || !strings.Contains(text, r.event) {
		r.t.Errorf("inspect said: %s", text)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		r.t.Errorf("the backup has mode %v: %v", info.Mode(), err)
	}
	return out
}

// refusesBadBackups tries what must not work, and must change nothing.
func (r *rehearsal) refusesBadBackups(file string) {
	r.t.Helper()
	whole, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 4
	for name, content := range map[string][]byte{"flipped.backup": flipped, "short.backup": whole[:len(whole)-10]} {
		bad := filepath.Join(r.dir, name)
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			r.t.Fatal(err)
		}
		if _, said := r.catraca(1, "backup", "inspect", bad); !strings.Contains(said, "damaged") {
			r.t.Errorf("inspect of %s said: %s", name, said)
		}
	}
	if _, said := r.catraca(1, "backup", "restore", file, "--config", r.config); !strings.Contains(said, "has data already") {
		r.t.Errorf("restore over data said: %s", said)
	}
	if _, said := r.catraca(1, "backup", "create", "--config", r.config, "-o", file); !strings.Contains(said, "exists already") {
		r.t.Errorf("a backup over another said: %s", said)
	}
	data := filepath.Join(r.dir, "data")
	kept := data + ".kept"
	if err := os.Rename(data, kept); err != nil {
		r.t.Fatal(err)
	}
	r.catraca(1, "backup", "restore", filepath.Join(r.dir, "flipped.backup"), "--config", r.config)
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		r.t.Errorf("a damaged backup left something behind: %v", err)
	}
	if err := os.Rename(kept, data); err != nil {
		r.t.Fatal(err)
	}
}

// lose removes everything the server had.
func (r *rehearsal) lose() {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, "data")); err != nil {
		r.t.Fatal(err)
	}
}

// booksOf waits until the books agree with what a crowd was told.
func (r *rehearsal) booksOf(c *crowd, within time.Duration) wire.Ledger {
	r.t.Helper()
	for limit := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		books, err := bench.FetchLedger(r.t.Context(), r.client, r.fan, r.event, r.owner)
		if err == nil {
			err = bench.AuditLedger(c.journals(), books)
		}
		if err == nil {
			return books
		}
		if time.Now().After(limit) {
			r.t.Fatalf("the books do not agree with the fans: %v", err)
		}
	}
}

// sameMeaning wants every number that is in both books to be that of the same thing, so that nothing issued after the
// restore can be taken for something issued before the loss.
func (r *rehearsal) sameMeaning(before, after wire.Ledger, inBackup uint32) {
	r.t.Helper()
	orders, tickets := map[string]wire.LedgerRow{}, map[string]string{}
	for _, row := range before.Rows {
		orders[row.Order] = row
		for _, ticket := range row.Tickets {
			tickets[ticket] = row.Order
		}
	}
	shared := uint32(0)
	for _, row := range after.Rows {
		if old, ok := orders[row.Order]; ok && (old.Account != row.Account || !slices.Equal(old.Units, row.Units)) {
			r.t.Errorf("order %s was of account %s with %v, and is of account %s with %v", row.Order, old.Account, old.Units, row.Account, row.Units)
		}
		for _, ticket := range row.Tickets {
			if old, ok := tickets[ticket]; ok {
				shared++
				if old != row.Order {
					r.t.Errorf("ticket %s was of order %s, and is of order %s", ticket, old, row.Order)
				}
			}
		}
	}
	if shared != inBackup {
		r.t.Errorf("%d numbers of tickets are in both books, the backup has %d tickets", shared, inBackup)
	}
	if after.Tickets.Issued <= inBackup || before.Tickets.Issued <= inBackup {
		r.t.Errorf("nothing was sold after the backup: %d tickets in it, %d and %d in the books", inBackup, before.Tickets.Issued, after.Tickets.Issued)
	}
}

// nothingChargedTwice looks at every payment from the provider's side: none of the restored sale is one of the lost
// orders. Money of those stays with the provider, and the audit names each of them, and nothing else.
func (r *rehearsal) nothingChargedTwice(before, after wire.Ledger) {
	r.t.Helper()
	lost, paid := map[string]bool{}, map[string]string{}
	for _, row := range before.Rows {
		lost[row.Order] = true
		for _, p := range row.Payments {
			paid[p.Ref] = row.Order
		}
	}
	for _, row := range after.Rows {
		for _, p := range row.Payments {
			delete(lost, row.Order) // one without a payment in the backup was paid after it: that is lost, too
			if old, ok := paid[p.Ref]; ok && old != row.Order {
				r.t.Errorf("payment %s was of order %s, and is of order %s", p.Ref, old, row.Order)
			}
		}
	}
	// What was on its way when the backup was made is asked for again, within a minute.
	var named map[string]bool
	for limit := time.Now().Add(100 * time.Second); ; time.Sleep(time.Second) {
		var wrong []string
		if named, wrong = r.disagreements(lost); len(wrong) == 0 {
			break
		}
		if time.Now().After(limit) {
			r.t.Fatalf("the books of the restored sale and the provider's:\n%s", strings.Join(wrong, "\n"))
		}
	}
	provider, err := bench.FetchProvider(r.t.Context(), r.client, r.payments, r.key)
	if err != nil {
		r.t.Fatal(err)
	}
	taken, total := map[string]int64{}, map[string]int64{}
	for _, p := range provider.Payments {
		taken[p.Metadata["reference"]] += p.Captured - p.Refunded - p.Pending
	}
	for _, row := range slices.Concat(before.Rows, after.Rows) {
		total[row.Order] = row.Total.Amount
	}
	for order, n := range taken {
		if n > total[order] {
			r.t.Errorf("the provider took %d for order %s, which costs %d", n, order, total[order])
		}
	}
	for order := range lost {
		if taken[order] > 0 && !named[order] {
			r.t.Errorf("the provider has %d of order %s, which is lost, and nobody is told", taken[order], order)
		}
	}
}

// disagreements compares the books with the provider's, and returns the lost orders that are named, and whatever else is
// wrong.
func (r *rehearsal) disagreements(lost map[string]bool) (named map[string]bool, wrong []string) {
	r.t.Helper()
	var verdict struct {
		Checks []struct {
			Defects []string `json:"defects"`
		} `json:"checks"`
	}
	out, _ := r.catraca(1, "verify", "ledger", r.event, "--config", r.config, "--provider-ledger", r.payments+"/_sandbox/ledger", "--output", "json")
	if err := json.Unmarshal([]byte(out), &verdict); err != nil {
		r.t.Fatalf("verify said %s: %v", out, err)
	}
	named = map[string]bool{}
	for _, c := range verdict.Checks {
		for _, d := range c.Defects {
			order := regexp.MustCompile(`o\d+-\d+`).FindString(d)
			named[order] = true
			if !lost[order] {
				wrong = append(wrong, d)
			}
		}
	}
	return named, wrong
}
