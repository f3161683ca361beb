//go:build unix

package live

import (
	"errors"
	"syscall"
)

// instant says that writes can be attempted without waiting.
const instant = true

// writeAtOnce writes as much as the system takes.
func writeAtOnce(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return 0, err
		}
	}
}
