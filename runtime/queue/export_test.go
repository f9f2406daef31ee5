package queue

// Waiting counts those that wait to get and to put.
func (q *base[T]) Waiting() (getters, putters int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.getters.length(), q.putters.length()
}

// Waiting counts those that wait to get and to put.
func (c *Channel[T]) Waiting() (getters, putters int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.getters.length(), c.putters.length()
}

// Joining counts those that wait in Join.
func (q *Joinable[T]) Joining() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.joiners.length()
}

// Room returns how many items there is memory for.
func (q *base[T]) Room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items.buf)
}

func (l *list[T]) length() int {
	length := 0
	var prev *node[T]
	for n := l.first; n != nil; prev, n = n, n.next {
		if n.prev != prev || !n.listed {
			panic("broken list")
		}
		length++
	}
	if l.last != prev {
		panic("broken list")
	}
	return length
}
