package pass

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// defaultLength is how long an event blocks a calendar when nobody said.
const defaultLength = 3 * time.Hour

// EventDoc is what a calendar entry is made of.
type EventDoc struct {
	UID      string // the same for the same order for ever: a second import replaces the first
	Name     string
	Venue    string
	StartsAt time.Time
	Length   time.Duration // zero is three hours
	Order    string
	Seats    []string // one line each, in the reader's language
	URL      string   // where the tickets are; may be empty
	IssuedAt time.Time
	Lang     string
}

// ICS writes an iCalendar file (RFC 5545) with one entry in UTC and a reminder three hours before.
func ICS(w io.Writer, d EventDoc) error {
	if d.UID == "" || d.Name == "" || d.StartsAt.IsZero() {
		return errors.New("write calendar: UID, Name and StartsAt are needed")
	}
	lang := Language(d.Lang)
	words := textsFor(lang)
	length := d.Length
	if length <= 0 {
		length = defaultLength
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Catraca//Tickets//" + strings.ToUpper(lang))
	cal.SetMethod(ics.MethodPublish)
	event := cal.AddEvent(line(d.UID))
	event.SetDtStampTime(d.IssuedAt.UTC())
	event.SetSequence(0)
	event.SetStartAt(d.StartsAt.UTC())
	event.SetEndAt(d.StartsAt.Add(length).UTC())
	event.SetSummary(line(d.Name))
	event.SetLocation(line(d.Venue))
	event.SetDescription(description(d, words.Calendar))
	event.SetStatus(ics.ObjectStatusConfirmed)
	event.SetClass(ics.ClassificationPrivate)
	if d.URL != "" {
		event.SetURL(line(d.URL))
	}
	alarm := event.AddAlarm()
	alarm.SetAction(ics.ActionDisplay)
	alarm.SetTrigger("-PT3H")
	alarm.SetProperty(ics.ComponentPropertyDescription, fill(words.Calendar.Reminder, "event", line(d.Name)))
	if err := cal.SerializeTo(w, ics.WithNewLineWindows); err != nil {
		return fmt.Errorf("write calendar: %w", err)
	}
	return nil
}

func description(d EventDoc, words calendarTexts) string {
	var b strings.Builder
	if d.Order != "" {
		b.WriteString(fill(words.Order, "order", line(d.Order)) + "\n")
	}
	if len(d.Seats) > 0 {
		b.WriteString(words.Tickets + ":\n")
	}
	for _, s := range d.Seats {
		b.WriteString("- " + line(s) + "\n")
	}
	if d.URL != "" {
		b.WriteString(words.Open + ": " + line(d.URL) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
