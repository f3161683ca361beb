package pass

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// The languages of the house, as BCP 47 tags.
const (
	Portuguese = "pt-BR"
	English    = "en"
	Spanish    = "es"
)

// Languages lists the tags of every language there are texts in.
func Languages() []string { return []string{Portuguese, English, Spanish} }

// Language picks the language to speak to somebody who asked for tag: by its first part, whatever the case or
// region ("PT", "es-MX", "en_GB"). Anything else is English, which the most people can make something of.
func Language(tag string) string {
	primary := strings.ToLower(tag)
	if i := strings.IndexAny(primary, "-_"); i >= 0 {
		primary = primary[:i]
	}
	switch primary {
	case "pt":
		return Portuguese
	case "es":
		return Spanish
	}
	return English
}

//go:embed texts/*.json
var textFiles embed.FS

// texts are all words of one language. A test proves that no field is empty in any of them.
type texts struct {
	Months   [12]string        `json:"months"`
	Weekdays [7]string         `json:"weekdays"` // from Sunday, as time.Weekday
	Date     string            `json:"date"`     // {weekday} {day} {month} {year}
	Clock    string            `json:"clock"`    // a layout of package time
	Moment   string            `json:"moment"`   // {date} {clock} {zone}
	Zones    map[string]string `json:"zones"`    // IANA name to the name people use

	Ticket      string   `json:"ticket"`
	TicketOf    string   `json:"ticket_of"` // {n} {of}
	Venue       string   `json:"venue"`
	Section     string   `json:"section"`
	Row         string   `json:"row"`
	Seat        string   `json:"seat"`
	Area        string   `json:"area"`
	Place       string   `json:"place"`
	Category    string   `json:"category"`
	Holder      string   `json:"holder"`
	Receipt     string   `json:"receipt"`
	Order       string   `json:"order"`
	IssuedAt    string   `json:"issued_at"`
	Price       string   `json:"price"`
	Fee         string   `json:"fee"`
	Total       string   `json:"total"`
	Tear        string   `json:"tear"`
	AtTheGate   string   `json:"at_the_gate"`
	GateSteps   []string `json:"gate_steps"`
	Code        string   `json:"code"`
	Signed      string   `json:"signed"`
	Rehearsal   string   `json:"rehearsal"`
	DocumentFor string   `json:"document_for"` // {event}

	Calendar calendarTexts `json:"calendar"`
}

type calendarTexts struct {
	Order    string `json:"order"`   // {order}
	Tickets  string `json:"tickets"` // heading of the list
	Open     string `json:"open"`    // heading of the address
	Reminder string `json:"reminder"`
}

// catalogue reads the embedded files once; they are part of the program, so a defect stops it at first use and
// no test would pass.
var catalogue = sync.OnceValue(func() map[string]*texts {
	all := make(map[string]*texts)
	for _, lang := range Languages() {
		t, err := readTexts(textFiles, "texts/"+lang+".json")
		if err != nil {
			panic(err)
		}
		all[lang] = t
	}
	return all
})

func readTexts(files fs.FS, name string) (*texts, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open texts: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	t := new(texts)
	if err := dec.Decode(t); err != nil {
		return nil, fmt.Errorf("read texts %s: %w", name, err)
	}
	return t, nil
}

func textsFor(lang string) *texts { return catalogue()[Language(lang)] }

// fill puts values into {name} places: fill("{n} of {of}", "n", "1", "of", "2"). A value is never searched for
// further places.
func fill(pattern string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(pattern)
}
