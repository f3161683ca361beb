// Package boltcompat runs the suite of storagetest on github.com/hashicorp/raft-boltdb, to see that the suite asks for
// nothing but what raft needs, and measures it beside the store of this project. It is a module of its own, so that
// nothing here becomes a dependency of the program:
//
//	cd storage/storagetest/boltcompat && go test . && go test -run '^$' -bench .
package boltcompat
