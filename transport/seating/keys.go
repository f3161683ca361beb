package seating

import (
	"fmt"
	"strings"
)

// holder is a unit as far as its key goes.
type holder struct {
	key           *string
	uuid          string
	path, keyPath string
}

// holders lists the seats and areas in file order.
func (d *draft) holders() []holder {
	var out []holder
	for _, s := range d.sections {
		for _, row := range s.rows {
			for i := range row.seats {
				u := &row.seats[i]
				out = append(out, holder{&u.key, u.uuid, u.path, u.keyPath})
			}
		}
		for _, a := range s.areas {
			out = append(out, holder{&a.key, a.uuid, a.path, a.keyPath})
		}
	}
	return out
}

// listed bounds how many places one duplicate names.
const listed = 1_000

// uniqueKeys reports every key that stands on more than one unit. With rekey, every unit of such a group gets another key and the defect
// is no longer fatal: which of them the old key meant cannot be told. It returns how many it replaced.
func (d *draft) uniqueKeys(rep *Report, rekey bool) int {
	all := d.holders()
	groups := make(map[string][]int, len(all))
	uuids := make(map[string]int, len(all))
	for i, h := range all {
		groups[*h.key] = append(groups[*h.key], i)
		uuids[h.uuid]++
	}
	replaced := 0
	for i, h := range all {
		group := groups[*h.key]
		if len(group) < 2 || group[0] != i || *h.key == "" {
			continue
		}
		var b strings.Builder
		for n, j := range group {
			switch {
			case n == listed:
				fmt.Fprintf(&b, " and %d more", len(group)-listed)
			case n < listed:
				if n > 0 {
					b.WriteString(", ")
				}
				b.WriteString(all[j].path)
			}
		}
		rep.add(Defect{h.keyPath, CodeDuplicateKey, fmt.Sprintf("%s %q is used by %d units: %s", d.keyName, *h.key, len(group), b.String()), !rekey})
	}
	if !rekey {
		return 0
	}
	taken := make(map[string]bool, len(all))
	for key, group := range groups {
		if len(group) == 1 {
			taken[key] = true
		}
	}
	for _, h := range all {
		if len(groups[*h.key]) < 2 {
			continue
		}
		key := h.uuid
		if key == "" || uuids[key] > 1 || taken[key] {
			key = generated(h.path, taken)
		}
		taken[key] = true
		*h.key = key
		replaced++
	}
	return replaced
}

// generated is a key made of a unit's path, such as z0r3s2 for zones[0].rows[3].seats[2], with a number if that is taken.
func generated(path string, taken map[string]bool) string {
	var b strings.Builder
	word := true
	for _, c := range path {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c == '.' || c == '[' || c == ']':
			word = true
			continue
		case word:
			b.WriteRune(c)
		}
		word = false
	}
	key := b.String()
	for n := 2; taken[key]; n++ {
		key = fmt.Sprintf("%s-%d", b.String(), n)
	}
	return key
}
