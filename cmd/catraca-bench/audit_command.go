package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	virtual "github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
)

// mostEvidence bounds the file of a run's evidence, packed.
const mostEvidence = 256 << 20

// evidenceBeside is the file of evidence that belongs to a run's file.
func evidenceBeside(run string) string { return strings.TrimSuffix(run, ".json") + ".evidence.gz" }

// keepEvidence writes what the audit of a run was made of beside where its file will be, and notes its sum in the run.
func keepEvidence(folder string, run *record.Run, e *virtual.Evidence) error {
	if e == nil {
		return nil
	}
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		return err
	}
	run.Audit.Evidence = sumOf(b.Bytes())
	return writeTo(evidenceBeside(filepath.Join(folder, "run-"+run.ID+".json")), func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// readEvidence reads the evidence of a run; nil: there is none.
func readEvidence(path string, run *record.Run) (*virtual.Evidence, error) {
	f, err := os.Open(evidenceBeside(path)) //nolint:gosec // beside the user's own file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is no error
	}
	if err != nil {
		return nil, wrong("read evidence: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, mostEvidence))
	if err != nil {
		return nil, wrong("read evidence: %w", err)
	}
	if sumOf(b) != run.Audit.Evidence {
		return nil, wrong("%s is not what run %s was audited by: its SHA-256 differs from the one in the run", evidenceBeside(path), run.ID)
	}
	e, err := virtual.ReadEvidence(bytes.NewReader(b))
	if err != nil {
		return nil, wrong("%w", err)
	}
	return e, nil
}

// auditAgain is where an audit is made again.
type auditAgain struct{ target, tokenFile, payments, keyFile string }

func auditCommand(env environment, code *int) *cobra.Command {
	var o auditAgain
	c := &cobra.Command{
		Use: "audit RUN.json", Short: "Audit a run again, by what was kept of it or by what the servers say now",
		Long: "Makes the audit of a run again from the evidence that was kept beside its file: what the fans were told, the server's\n" +
			"books and the payment provider's. With --target the books are read anew from there. Without evidence the audit is\n" +
			"only shown as it was. The first line says which of these was done.\n" +
			"Ends with 98 when a promise of safety is broken, now or in the run's own audit, and with 99 when there is no audit.",
		Example: "  catraca-bench audit bench-results/run-20261124-191500-spike-1f2e.json\n" +
			"  catraca-bench audit run.json --target http://127.0.0.1:8080 --admin-token-file owner.token --payments http://127.0.0.1:9090 --payments-key-file key",
		Args: needs("RUN.json"),
		RunE: func(c *cobra.Command, args []string) error {
			run, err := openRun(args[0])
			if err != nil {
				return err
			}
			var b strings.Builder
			*code, err = o.audit(c.Context(), &b, args[0], run)
			if err != nil {
				return err
			}
			_, err = env.stdout.Write([]byte(b.String()))
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.target, "target", "", "read the books anew from these servers, http(s)://host:port")
	f.StringVar(&o.tokenFile, "admin-token-file", "", "file with a viewer's token or better; needed with --target")
	f.StringVar(&o.payments, "payments", "", "read the provider's books anew from this sandbox; without it the money is held against the server's books alone")
	f.StringVar(&o.keyFile, "payments-key-file", "", "file with the sandbox's secret key; needed with --payments")
	return c
}

// audit writes what it comes to, and returns what to end with.
func (o *auditAgain) audit(ctx context.Context, b *strings.Builder, path string, run *record.Run) (int, error) {
	if o.target == "" && o.payments != "" {
		return 0, wrong("--payments without --target: the money of one moment is not held against the orders of another")
	}
	e, err := readEvidence(path, run)
	if err != nil {
		return 0, err
	}
	if e == nil {
		if o.target != "" {
			return 0, wrong("there is no %s with what the fans were told, so nothing can be held against %s", evidenceBeside(path), o.target)
		}
		fmt.Fprintf(b, "shown as it was kept, and nothing was checked again: there is no %s\n", evidenceBeside(path))
		showAudit(b, run.Audit, run.Verdict.Broken)
		return auditCode(run.Audit.Ran, run.Verdict.Broken), nil
	}
	from := "the server's books and the provider's as they were kept"
	if o.target != "" {
		if from, err = o.renew(ctx, e); err != nil {
			return 0, err
		}
	}
	again, _ := e.Checks()
	fmt.Fprintf(b, "checked again: what %d fans were told, against %s, of %s\n", len(e.Journals), from, e.Taken.UTC().Format("2006-01-02 15:04:05 UTC"))
	broken := slices.Clone(again.Findings)
	for _, c := range run.Audit.Checks {
		if !slices.ContainsFunc(again.Checks, func(one record.Check) bool { return one.Name == c.Name }) {
			again.Checks = append(again.Checks, record.Check{Name: c.Name + " (as the run has it)", Held: c.Held})
		}
	}
	showAudit(b, again, broken)
	switch was := run.Verdict.Broken; {
	case len(was) > 0 && len(broken) == 0:
		fmt.Fprintf(b, "the run's own audit found what is not found any more:\n  %s\n", strings.Join(was, "\n  "))
		broken = was
	case len(was) == 0 && len(broken) > 0:
		b.WriteString("the run's own audit had found nothing\n")
	}
	return auditCode(true, broken), nil
}

// renew reads the books anew, and says from where.
func (o *auditAgain) renew(ctx context.Context, e *virtual.Evidence) (string, error) {
	token, err := secret("--admin-token-file", o.tokenFile)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	client := virtual.NewClient(4)
	defer client.CloseIdleConnections()
	e.Taken, e.Provider = time.Now(), nil
	if e.Books, err = virtual.FetchLedger(ctx, client, strings.TrimRight(o.target, "/"), e.Event, token); err != nil {
		return "", fmt.Errorf("audit again: %w", err)
	}
	from := "the books that " + o.target + " has now, and no provider's"
	if o.payments == "" {
		return from, nil
	}
	key, err := secret("--payments-key-file", o.keyFile)
	if err != nil {
		return "", err
	}
	p, err := virtual.FetchProvider(ctx, client, strings.TrimRight(o.payments, "/"), key)
	if err != nil {
		return "", fmt.Errorf("audit again: %w", err)
	}
	e.Provider = &p
	return "the books that " + o.target + " and " + o.payments + " have now", nil
}

// showAudit lists the checks, the evidence and what was counted.
func showAudit(b *strings.Builder, a record.Audit, broken []string) {
	for _, c := range a.Checks {
		word := "held   "
		if !c.Held {
			word = "BROKEN "
		}
		b.WriteString(word + c.Name + "\n")
	}
	for _, f := range broken {
		b.WriteString("  " + f + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Counted)) {
		fmt.Fprintf(b, "%-12s %d\n", name, a.Counted[name])
	}
	if !a.Ran {
		b.WriteString("the run was not audited\n")
	}
}

func auditCode(ran bool, broken []string) int {
	switch {
	case len(broken) > 0:
		return record.ExitSafety
	case !ran:
		return record.ExitThreshold
	}
	return record.ExitPassed
}
