package queue

// Waiting counts those that wait to get and to put.
func (q *base[T]) Waiting() (getters, putters int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.getters.Len(), q.putters.Len()
}

// Waiting counts those that wait to get and to put.
func (c *Channel[T]) Waiting() (getters, putters int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.getters.Len(), c.putters.Len()
}

// Joining counts those that wait in Join.
func (q *Joinable[T]) Joining() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.joiners.Len()
}

// Room returns how many items there is memory for.
func (q *base[T]) Room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items.buf)
}
