package storage

func child() bool { return false }
