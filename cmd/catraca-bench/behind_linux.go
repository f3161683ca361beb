package main

import "syscall"

// courtesy is by how much servers stand behind the fans for a core: enough that a fan whose moment has come is not kept
// waiting by a server that is busy with others on the same machine, as it would not be from another one.
const courtesy = 5

// behind lets what this thread starts stand behind this program for a core. The thread must end with what it started.
func behind() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, courtesy) } // without it, more runs are invalid
