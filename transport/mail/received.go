package mail

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/jhillyerd/enmime/v2"
)

// Summary is a received message as the list shows it.
type Summary struct {
	ID          uint64    `json:"id"` // in the order of arrival
	At          time.Time `json:"at"`
	From        string    `json:"from"` // of the envelope
	To          []string  `json:"to"`   // of the envelope
	Sender      string    `json:"sender"`
	Subject     string    `json:"subject"`
	MessageID   string    `json:"message_id"`
	Size        int       `json:"size"` // bytes
	Attachments int       `json:"attachments"`
	Excerpt     string    `json:"excerpt"` // the first words
	Defect      string    `json:"defect,omitempty"`
}

// Received is a received message, taken apart.
type Received struct {
	Summary

	Headers     []Header
	Text        string
	HTML        string
	Attachments []Attachment
	Raw         []byte
}

// Header is one header field, decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// excerptLength is in bytes.
const excerptLength = 140

// open takes a message apart. A message that is not MIME at all still opens: with its text and a defect.
func open(s stored) Received {
	r := Received{Summary: s.summary, Raw: s.raw}
	env, err := enmime.ReadEnvelope(bytes.NewReader(s.raw))
	if err != nil {
		r.Defect = fmt.Sprintf("read message: %v", err)
		r.Text = strings.ToValidUTF8(string(s.raw), "?")
		return r
	}
	r.Text, r.HTML = env.Text, env.HTML
	for _, key := range slices.Sorted(slices.Values(env.GetHeaderKeys())) {
		for _, v := range env.GetHeaderValues(key) {
			r.Headers = append(r.Headers, Header{key, v})
		}
	}
	for _, p := range append(env.Attachments, env.Inlines...) {
		name := p.FileName
		if name == "" {
			name = "unnamed"
		}
		r.Attachments = append(r.Attachments, Attachment{Name: name, Type: p.ContentType, Data: p.Content})
	}
	r.Summary.Attachments = len(r.Attachments)
	r.Subject = env.GetHeader("Subject")
	r.MessageID = strings.Trim(env.GetHeader("Message-ID"), "<> ")
	r.Sender = sender(env.GetHeader("From"))
	r.Excerpt = excerpt(env.Text)
	return r
}

// sender is the name in a From header, or its address.
func sender(from string) string {
	a, err := netmail.ParseAddress(from)
	switch {
	case err != nil:
		return from
	case a.Name != "":
		return a.Name
	}
	return a.Address
}

func excerpt(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if len(line) > excerptLength {
		line = strings.ToValidUTF8(line[:excerptLength], "") + "…"
	}
	return line
}
