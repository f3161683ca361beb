package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/catraca/catraca/bench/record"
)

func pageOf(t *testing.T, run *record.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, run); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPage: every tag is closed, nothing is fetched, no text became markup, and every script and style is one the policy
// names.
func TestPage(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]*record.Run{"passed": passed(), "broken": brokenRun(), "empty": {}} {
		page := pageOf(t, run)
		wellFormed(t, name, page)
		if size := len(page) - len(between(page, `id="charts">`, "</script>")); size > 150<<10 {
			t.Errorf("%s: %d bytes beside the data", name, size)
		}
		var charts []struct{ X []float64 }
		if err := json.Unmarshal([]byte(between(page, `id="charts">`, "</script>")), &charts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, c := range charts {
			if len(c.X) > maxPoints {
				t.Errorf("%s: a chart of %d points", name, len(c.X))
			}
		}
	}
	page := pageOf(t, passed())
	for _, want := range []string{"PASSED", "50,", "8,897", "no seat twice", "hold.p99&lt;250ms", "kill node 2, the leader", "0.998", "7bae1e1", "conflict"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func between(s, from, to string) string {
	_, rest, _ := strings.Cut(s, from)
	inner, _, _ := strings.Cut(rest, to)
	return inner
}

var void = regexp.MustCompile(`^(meta|br|hr|input|link|img)$`)

func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		tok := z.Token()
		for _, a := range tok.Attr {
			if a.Key == "href" && (strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "run-")) {
				continue // within the page, or to a run's report that lies beside it
			}
			if a.Key == "src" || a.Key == "href" || a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s %s=%q>", name, tok.Data, a.Key, a.Val)
			}
		}
		switch {
		case kind == html.StartTagToken && !void.MatchString(tok.Data):
			open = append(open, tok.Data)
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("%s: </%s> closes %v", name, tok.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: never closed: %v", name, open)
	}
	policy := html.UnescapeString(between(page, `Content-Security-Policy" content="`, `"`))
	if strings.Count(page, "<script") != 3 {
		t.Errorf("%s: %d scripts", name, strings.Count(page, "<script"))
	}
	for _, part := range []string{between(page, "<style>", "</style>"), between(page, "<script>", "</script>"), between(page[strings.LastIndex(page, "<script>"):], "<script>", "</script>")} {
		if !strings.Contains(policy, digest(part)) {
			t.Errorf("%s: the policy %s does not name the digest of %.40q", name, policy, part)
		}
	}
}

// TestVendored: the files are the ones VERSIONS names.
func TestVendored(t *testing.T) {
	t.Parallel()
	lines := regexp.MustCompile(`(?m)^([0-9a-f]{64})  (\S+)$`).FindAllStringSubmatch(asset("VERSIONS"), -1)
	if len(lines) != 3 {
		t.Fatalf("VERSIONS names %d files", len(lines))
	}
	for _, l := range lines {
		b, err := os.ReadFile("files/" + l[2])
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != l[1] {
			t.Errorf("%s is not what VERSIONS says", l[2])
		}
	}
}

// FuzzHistogram: a damaged histogram is refused.
func FuzzHistogram(f *testing.F) {
	f.Add(passed().Operations[0].Histogram)
	f.Add("HISTFAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := histogram(text); (h == nil) == (err == nil) {
			t.Errorf("%v, %v", h, err)
		}
	})
}
