package wire

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestEveryProblemHasItsSentences(t *testing.T) {
	seen := map[Code]bool{}
	for _, c := range Codes() {
		if seen[c] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c] = true
		if s := c.Status(); s < 400 || s > 599 || s == http.StatusInternalServerError && c != Internal {
			t.Errorf("%s has status %d", c, s)
		}
		sentences := map[string]bool{}
		for _, lang := range []string{"pt-BR", "en", "es"} {
			s := Sentence(c, lang)
			if s == "" || sentences[s] || !strings.HasSuffix(s, ".") {
				t.Errorf("%s in %s: %q", c, lang, s)
			}
			sentences[s] = true
		}
		if Sentence(c, "xx") != Sentence(c, "pt-BR") {
			t.Errorf("%s in an unknown language: %q", c, Sentence(c, "xx"))
		}
	}
}

func TestProblemJSON(t *testing.T) {
	p := NewProblem(Limit, "en")
	p.Allowed = new(uint32(0))
	var got map[string]any
	if err := json.Unmarshal(p.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	if got["type"] != "/problems/limit" || got["status"] != float64(409) || got["allowed"] != float64(0) || got["units"] != nil {
		t.Errorf("problem is %s", p.JSON())
	}
	if p.Error() != "limit" {
		t.Errorf("as an error: %s", p.Error())
	}
	p.Detail = "at most 6"
	if p.Error() != "limit: at most 6" {
		t.Errorf("as an error: %s", p.Error())
	}
}
