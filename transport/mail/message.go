package mail

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// maxAttachments and maxMessage bound one message: 20 MB is what large mail providers take at most.
const (
	maxAttachments = 16
	maxMessage     = 20 << 20
)

// Message is one letter to one person.
type Message struct {
	To        string // address without a name
	Name      string // of the reader; may be empty
	Lang      string // BCP 47
	MessageID string // without angle brackets; the same each time the same letter is sent
	Subject   string
	HTML      string
	Text      string
	// Attachments are sent in their order.
	Attachments []Attachment
}

// Attachment is a file in a message.
type Attachment struct {
	Name string
	Type string // media type, with parameters when needed
	Data []byte
}

// build makes the MIME message. Its errors are permanent and name no address.
func (m Message) build(from, replyTo *netmail.Address, now time.Time) (*gomail.Msg, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Name != "" {
		return nil, invalid("the recipient is not an e-mail address")
	}
	to.Name = oneLine(m.Name)
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	if replyTo != nil {
		msg.ReplyToMailAddress(replyTo)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(now)
	msg.SetGenHeader(gomail.HeaderContentLang, m.Lang)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.Type)))
	}
	return msg, nil
}

func (m Message) check() error {
	size := len(m.HTML) + len(m.Text)
	for _, a := range m.Attachments {
		size += len(a.Data)
	}
	switch {
	case m.MessageID == "" || strings.ContainsFunc(m.MessageID, notInID) || strings.Count(m.MessageID, "@") != 1:
		return invalid("the Message-ID has to look like name@domain")
	case m.Subject == "" || m.Text == "" || m.HTML == "":
		return invalid("subject, text and HTML are needed")
	case len(m.Attachments) > maxAttachments:
		return invalid(fmt.Sprintf("%d attachments, at most %d are allowed", len(m.Attachments), maxAttachments))
	case size > maxMessage:
		return invalid(fmt.Sprintf("%d bytes, at most %d are allowed", size, maxMessage))
	}
	return nil
}

func notInID(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }

// oneLine keeps foreign text from starting a header of its own.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
