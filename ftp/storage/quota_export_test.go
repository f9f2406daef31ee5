package storage

// Counted returns what a limited view's tree is known to hold, uploads under way included, and false
// if it would have to be walked.
func Counted(fsys FS) (Limits, bool) { return fsys.(*limited).usage.sum() }
