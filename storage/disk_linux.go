package storage

import (
	"fmt"
	"syscall"
)

// diskSpace is how many bytes the file system of path leaves to this process, and how many it has in all.
func diskSpace(path string) (left, total int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, 0, fmt.Errorf("ask for the space of %s: %w", path, err)
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}
