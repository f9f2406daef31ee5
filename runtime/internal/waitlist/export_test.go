package waitlist

// MaxKept is maxKept.
const MaxKept = maxKept

// Kept returns how many nodes l uses again.
func (l *List[T]) Kept() int { return l.kept }

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
