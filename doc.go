// Package catraca holds the rules of this house as tests; the program is in cmd/catraca.
package catraca
