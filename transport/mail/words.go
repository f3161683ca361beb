package mail

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"sync"
	texttemplate "text/template"

	"github.com/catraca/catraca/transport/pass"
)

//go:embed texts/*.json
var textFiles embed.FS

//go:embed letter/*
var letterFiles embed.FS

// words are all texts of the letters in one language. A test proves that no field is empty in any of them.
type words struct {
	Hello        string `json:"hello"` // {name}
	HelloNobody  string `json:"hello_nobody"`
	Order        string `json:"order"`
	Venue        string `json:"venue"`
	When         string `json:"when"`
	Total        string `json:"total"`
	WithFee      string `json:"with_fee"` // {fee}
	TicketsOne   string `json:"tickets_one"`
	TicketsOther string `json:"tickets_other"` // {n}
	Automatic    string `json:"automatic"`
	Rehearsal    string `json:"rehearsal"`

	Confirmation struct {
		Subject  string `json:"subject"` // {event}
		Title    string `json:"title"`
		Lead     string `json:"lead"`
		Button   string `json:"button"`
		Once     string `json:"once"`
		Calendar string `json:"calendar"`
		PDFName  string `json:"pdf_name"` // {order}
		ICSName  string `json:"ics_name"` // {order}
	} `json:"confirmation"`

	Refund struct {
		Subject         string `json:"subject"` // {order} {event}
		Title           string `json:"title"`
		Lead            string `json:"lead"` // {amount}
		Void            string `json:"void"`
		ReleasedSubject string `json:"released_subject"` // {order} {event}
		ReleasedTitle   string `json:"released_title"`
		ReleasedLead    string `json:"released_lead"` // {amount}
		Why             string `json:"why"`
		Button          string `json:"button"`
	} `json:"refund"`

	Reasons map[string]string `json:"reasons"` // by reasonKey
}

// catalogue reads the embedded files once; a defect in them would fail every test.
var catalogue = sync.OnceValue(func() map[string]*words {
	all := make(map[string]*words)
	for _, lang := range pass.Languages() {
		f, err := textFiles.Open("texts/" + lang + ".json")
		if err != nil {
			panic(err)
		}
		dec := json.NewDecoder(f)
		dec.DisallowUnknownFields()
		w := new(words)
		if err := dec.Decode(w); err != nil {
			panic(fmt.Errorf("read texts %s: %w", lang, err))
		}
		all[lang] = w
	}
	return all
})

func wordsFor(lang string) *words { return catalogue()[pass.Language(lang)] }

// letters are the parsed templates.
type letters struct {
	html *template.Template
	text *texttemplate.Template
}

var letterTemplates = sync.OnceValue(func() letters {
	return letters{
		html: template.Must(template.ParseFS(letterFiles, "letter/*.html")),
		text: texttemplate.Must(texttemplate.ParseFS(letterFiles, "letter/*.txt")),
	}
})

// render runs both templates of a letter.
func render(name string, data any) (html, text string, err error) {
	var h, t strings.Builder
	if err := letterTemplates().html.ExecuteTemplate(&h, name+".html", data); err != nil {
		return "", "", fmt.Errorf("write letter: %w", err)
	}
	if err := letterTemplates().text.ExecuteTemplate(&t, name+".txt", data); err != nil {
		return "", "", fmt.Errorf("write letter: %w", err)
	}
	return h.String(), t.String(), nil
}

// fill puts values into {name} places, in one pass.
func fill(pattern string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(pattern)
}
