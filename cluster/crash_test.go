package cluster

func child() bool { return false }
