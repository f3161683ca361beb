package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseClass reads the name of a class, a class spelled out, or a named one with changes:
//
//	mobile
//	rtt=80ms,jitter=20ms,loss=1%,down=64kbit,up=64kbit,drop-every=30s,drop-for=4s
//	mobile,loss=5%
//
// Rates are bytes a second, or bits with kbit or mbit behind the number. What is spelled out has its text as its name.
func ParseClass(text string) (Class, error) {
	c, rest := Class{}, text
	first, more, _ := strings.Cut(text, ",")
	if !strings.Contains(first, "=") {
		named, ok := Named(first)
		if !ok {
			return c, fmt.Errorf("parse class: no class is called %.40q, there are %s", first, strings.Join(Names(), ", "))
		}
		if c, rest = named, more; rest == "" && first == text {
			return c, nil
		}
	}
	c.Name = text
	if len(text) > 200 {
		return Class{}, fmt.Errorf("parse class: %d characters, at most 200", len(text))
	}
	var seen []string
	for part := range strings.SplitSeq(rest, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok || slices.Contains(seen, key) {
			return Class{}, fmt.Errorf("parse class: %.40q, want key=value and each key once", part)
		}
		seen = append(seen, key)
		if err := c.set(key, value); err != nil {
			return Class{}, fmt.Errorf("parse class: %.40q: %w", part, err)
		}
	}
	if err := c.Check(); err != nil {
		return Class{}, err
	}
	return c, nil
}

func (c *Class) set(key, value string) (err error) {
	switch key {
	case "rtt":
		c.RTT, err = time.ParseDuration(value)
	case "jitter":
		c.Jitter, err = time.ParseDuration(value)
	case "drop-every":
		c.DropEvery, err = time.ParseDuration(value)
	case "drop-for":
		c.DropFor, err = time.ParseDuration(value)
	case "loss":
		c.Loss, err = parseShare(value)
	case "down":
		c.Down, err = parseRate(value)
	case "up":
		c.Up, err = parseRate(value)
	default:
		err = fmt.Errorf("want rtt, jitter, loss, down, up, drop-every or drop-for")
	}
	return err
}

func parseShare(value string) (float64, error) {
	number, percent := strings.CutSuffix(value, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	return share, err
}

func parseRate(value string) (int, error) {
	for suffix, unit := range map[string]int{"kbit": 1000 / 8, "mbit": 1_000_000 / 8} {
		if number, ok := strings.CutSuffix(value, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 24)
			return int(n) * unit, err
		}
	}
	n, err := strconv.ParseUint(value, 10, 31)
	return int(n), err
}
