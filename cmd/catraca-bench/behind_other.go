//go:build !linux

package main

// behind does nothing: threads have no priority of their own here.
func behind() {}
