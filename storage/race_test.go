//go:build race

package storage

// slowdown is by how much less some tests do when the race detector watches.
const slowdown = 4
