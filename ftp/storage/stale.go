package storage

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// RemoveStale removes what crashed servers left behind: hidden upload files anywhere under the root
// whose last write is older than age. It returns how many it removed and the first error, and goes
// on after errors. An age of a day spares every upload that still moves. Links are not followed. It
// visits every directory, so it can block for long.
func (r *OSRoot) RemoveStale(age time.Duration) (int, error) {
	before := time.Now().Add(-age)
	removed := 0
	var first error
	keep := func(err error) {
		if first == nil && !errors.Is(err, fs.ErrNotExist) {
			first = err
		}
	}
	// A stack of paths and not recursion: a deep tree must not use up the descriptors.
	for stack := []string{"/"}; len(stack) > 0; {
		path := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		d, err := r.stream(path)
		if err != nil {
			keep(r.fail("opendir", path, err))
			continue
		}
		for {
			names, err := d.f.Readdirnames(256)
			if err != nil {
				if err != io.EOF {
					keep(Translate("readdir", path, err))
				}
				break
			}
			for _, name := range names {
				info, err := d.dir.Lstat(name)
				switch {
				case err != nil:
					keep(r.fail("lstat", join(path, name), err))
				case info.IsDir():
					stack = append(stack, join(path, name))
				case reserved(name) && info.Mode().IsRegular() && info.ModTime().Before(before):
					if err := d.dir.Remove(name); err != nil {
						keep(r.fail("remove", join(path, name), err))
						continue
					}
					removed++
				}
			}
		}
		if err := d.Close(); err != nil {
			keep(err)
		}
	}
	return removed, first
}
