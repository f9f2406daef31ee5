package storage

import (
	"math"

	"golang.org/x/sys/unix"
)

// Free implements [Spacer]: what users other than the superuser may take.
func (r *OSRoot) Free(dir string) (int64, error) {
	if err := check(dir); err != nil {
		return 0, pathError("free", dir, err)
	}
	f, err := r.root.Open(rel(dir) + "/.")
	if err != nil {
		return 0, r.fail("free", dir, err)
	}
	defer f.Close()
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, r.fail("free", dir, err)
	}
	if size := uint64(s.Bsize); size > 0 && s.Bavail > math.MaxInt64/size {
		return math.MaxInt64, nil
	}
	return int64(s.Bavail) * s.Bsize, nil
}
