package cluster

import (
	"strconv"
	"strings"
)

// incarnationMark stands between a node's name and its incarnation in a server id.
const incarnationMark = "~"

// serverID is what Raft calls a node: its name, with the number of the incarnation from the second one on. Data that
// was lost or set aside never comes back under the id it had, because that id has made promises the new data knows
// nothing of.
func serverID(name string, incarnation int) string {
	if incarnation <= 1 {
		return name
	}
	return name + incarnationMark + strconv.Itoa(incarnation)
}

// splitID is the other way round; an incarnation of 0 means that id is none.
func splitID(id string) (name string, incarnation int) {
	name, number, more := strings.Cut(id, incarnationMark)
	if !more {
		return name, 1
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 2 || id != serverID(name, n) {
		return name, 0
	}
	return name, n
}

func nameOf(id string) string {
	name, _, _ := strings.Cut(id, incarnationMark)
	return name
}

func incarnationOf(id string) int {
	_, n := splitID(id)
	return n
}
