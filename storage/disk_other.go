//go:build !linux

package storage

import "errors"

// diskSpace is not asked on this system: only MaxBytes limits the file.
func diskSpace(string) (left, total int64, err error) { return 0, 0, errors.ErrUnsupported }
