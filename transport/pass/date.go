package pass

import (
	"fmt"
	"strconv"
	"time"
)

// FormatDate writes the day of t at zone (an IANA name): "sábado, 12 de dezembro de 2026".
func FormatDate(t time.Time, zone, lang string) string {
	return date(t.In(location(zone)), textsFor(lang))
}

// FormatClock writes the time of day of t at zone: "20:00", "8:00 PM".
func FormatClock(t time.Time, zone, lang string) string {
	return t.In(location(zone)).Format(textsFor(lang).Clock)
}

// FormatMoment writes t as people at the venue say it: "sábado, 12 de dezembro de 2026, 20:00 (horário de
// Brasília)". A zone without a name of its own in the language gets its offset, "UTC-4".
func FormatMoment(t time.Time, zone, lang string) string {
	words := textsFor(lang)
	local := t.In(location(zone))
	return fill(words.Moment, "date", date(local, words), "clock", local.Format(words.Clock), "zone", zoneName(local, zone, words))
}

func date(local time.Time, words *texts) string {
	return fill(words.Date,
		"weekday", words.Weekdays[local.Weekday()],
		"day", strconv.Itoa(local.Day()),
		"month", words.Months[local.Month()-1],
		"year", strconv.Itoa(local.Year()))
}

// zoneName says which clock is meant.
func zoneName(local time.Time, zone string, words *texts) string {
	if name, ok := words.Zones[zone]; ok {
		return name
	}
	_, seconds := local.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	name := fmt.Sprintf("UTC%s%d", sign, seconds/3600)
	if minutes := seconds / 60 % 60; minutes != 0 {
		name += fmt.Sprintf(":%02d", minutes)
	}
	return name
}

// location is UTC for a zone this machine does not know: the moment stays right and says UTC. The name was
// checked when the event was created; the program carries the zone database itself (time/tzdata).
func location(zone string) *time.Location {
	l, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return l
}
