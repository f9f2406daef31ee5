package greenlet

// Owners counts the entries of goroutines.
func Owners() (n int) {
	for i := range owners {
		owners[i].mu.Lock()
		n += len(owners[i].m)
		owners[i].mu.Unlock()
	}
	return n
}
