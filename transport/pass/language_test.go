package pass

import (
	"io/fs"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestEveryLanguageHasEveryText(t *testing.T) {
	files, err := fs.Glob(textFiles, "texts/*.json")
	if err != nil || len(files) != len(Languages()) {
		t.Fatalf("text files %v, %v; want one for each of %v", files, err, Languages())
	}
	first := textsFor(Portuguese)
	for _, lang := range Languages() {
		words := textsFor(lang)
		requireTexts(t, lang, reflect.ValueOf(*words))
		if got, want := slices.Sorted(maps.Keys(words.Zones)), slices.Sorted(maps.Keys(first.Zones)); !slices.Equal(got, want) {
			t.Errorf("%s: zones %v, want %v", lang, got, want)
		}
		if len(words.GateSteps) != len(first.GateSteps) {
			t.Errorf("%s: %d gate steps, want %d", lang, len(words.GateSteps), len(first.GateSteps))
		}
		for zone := range words.Zones {
			if _, err := time.LoadLocation(zone); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
	}
}

// requireTexts fails for every empty string below v.
func requireTexts(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if strings.TrimSpace(v.String()) == "" {
			t.Errorf("%s is empty", path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			requireTexts(t, path+"/"+v.Type().Field(i).Tag.Get("json"), v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Len() == 0 {
			t.Errorf("%s has no entries", path)
		}
		for i := range v.Len() {
			requireTexts(t, path, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			requireTexts(t, path+"/"+key.String(), v.MapIndex(key))
		}
	}
}

func TestLanguage(t *testing.T) {
	for in, want := range map[string]string{
		"pt-BR": Portuguese, "PT": Portuguese, "pt_PT": Portuguese, "en": English, "en-GB": English,
		"es": Spanish, "es-419": Spanish, "": English, "de": English, "ptx": English, "-": English,
	} {
		if got := Language(in); got != want {
			t.Errorf("Language(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFormatMoney(t *testing.T) {
	for _, c := range []struct {
		amount         int64
		currency, lang string
		want           string
	}{
		{12000, "BRL", "pt-BR", "R$ 120,00"},
		{12000, "BRL", "en", "R$120.00"},
		{12000, "BRL", "es", "R$ 120,00"},
		{0, "BRL", "pt-BR", "R$ 0,00"},
		{5, "BRL", "pt-BR", "R$ 0,05"},
		{123456789, "BRL", "pt-BR", "R$ 1.234.567,89"},
		{123456789, "USD", "en", "US$1,234,567.89"},
		{-1050, "BRL", "pt-BR", "-R$ 10,50"},
		{-1050, "EUR", "en", "-€10.50"},
		{1050, "EUR", "es", "10,50 €"},
		{1500, "JPY", "en", "¥1,500"},
		{1500, "CLP", "es", "CLP 1.500"},
		{1500, "KWD", "en", "KWD 1.500"},
		{1, "CLF", "es", "CLF 0,0001"},
		{100, "xyz", "pt-BR", "XYZ 1,00"},
		{100, "", "pt-BR", "1,00"},
		{math.MinInt64, "BRL", "en", "-R$92,233,720,368,547,758.08"},
		{math.MaxInt64, "JPY", "pt-BR", "¥ 9.223.372.036.854.775.807"},
	} {
		want := strings.ReplaceAll(c.want, " ", nbsp)
		if got := (Money{c.amount, c.currency}).Format(c.lang); got != want {
			t.Errorf("FormatMoney(%d, %s, %s) = %q, want %q", c.amount, c.currency, c.lang, got, want)
		}
	}
}

func TestFormatMoment(t *testing.T) {
	at := time.Date(2026, 12, 12, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct{ zone, lang, want string }{
		{"America/Sao_Paulo", "pt-BR", "sábado, 12 de dezembro de 2026, 20:00 (horário de Brasília)"},
		{"America/Sao_Paulo", "en", "Saturday, 12 December 2026, 8:00 PM (Brasília time)"},
		{"America/Sao_Paulo", "es", "sábado, 12 de diciembre de 2026, 20:00 (hora de Brasilia)"},
		{"Europe/Lisbon", "pt-BR", "sábado, 12 de dezembro de 2026, 23:00 (horário de Lisboa)"},
		{"Asia/Tokyo", "en", "Sunday, 13 December 2026, 8:00 AM (UTC+9)"},
		{"Asia/Kolkata", "es", "domingo, 13 de diciembre de 2026, 04:30 (UTC+5:30)"},
		{"America/St_Johns", "pt-BR", "sábado, 12 de dezembro de 2026, 19:30 (UTC-3:30)"},
		{"UTC", "en", "Saturday, 12 December 2026, 11:00 PM (UTC)"},
		{"Nowhere/Land", "en", "Saturday, 12 December 2026, 11:00 PM (UTC)"},
	} {
		if got := strings.ReplaceAll(FormatMoment(at, c.zone, c.lang), nbsp, " "); got != c.want {
			t.Errorf("FormatMoment(%s, %s) = %q, want %q", c.zone, c.lang, got, c.want)
		}
	}
	if got := FormatDate(at, "Asia/Tokyo", "en") + " " + FormatClock(at, "Asia/Tokyo", "en"); got != "Sunday, 13 December 2026 8:00"+nbsp+"AM" {
		t.Errorf("date and clock %q", got)
	}
}
