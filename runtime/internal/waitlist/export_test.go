package waitlist

// MaxKept is maxKept.
const MaxKept = maxKept

// Spares counts the nodes that l keeps for those that will wait.
func (l *List[T]) Spares() int {
	spares := 0
	for _, n := range []*Node[T]{l.spare, l.used} {
		for ; n != nil; n = n.next {
			spares++
		}
	}
	return spares
}

// Check panics unless the links of l are those of a list.
func (l *List[T]) Check() {
	length := 0
	var prev *Node[T]
	for n := l.first; n != nil; prev, n = n, n.next {
		if n.prev != prev || !n.listed {
			panic("broken list")
		}
		length++
	}
	if l.last != prev || l.length != length {
		panic("broken list")
	}
}
